// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Leaves out of an episode what its violation does not need: delta debugging.
struct Shrinker {
    /// Plays some of the inputs; gives the violation that they lead to.
    let play: ([TimedInput]) -> Violation?
    /// Plays at most.
    var budget = 400
    private(set) var plays = 0

    init(budget: Int = 400, play: @escaping ([TimedInput]) -> Violation?) {
        self.play = play
        self.budget = budget
    }

    /// The inputs that are left where leaving out any more ends in no violation of `check`.
    mutating func shrink(_ all: [TimedInput], _ check: Check) -> [TimedInput] {
        var inputs = latest(of: all, check)
        var parts = 2
        while inputs.count > 1, plays < budget {
            if let fewer = reduced(inputs, parts, check) {
                inputs = fewer
                parts = max(2, min(inputs.count, parts - 1))
            } else if parts < inputs.count {
                parts = min(inputs.count, parts * 2)
            } else {
                break
            }
        }
        return inputs
    }

    /// What came in the last hours, where that suffices; the first ones make the tasks.
    private mutating func latest(of all: [TimedInput], _ check: Check) -> [TimedInput] {
        guard let end = all.last?.at else { return all }
        for hours: Int64 in [1, 4, 12, 36] {
            let some = all.filter { $0.at <= .seconds(10) || $0.at + .hours(hours) > end }
            plays += 1
            if play(some)?.check == check { return some }
        }
        return all
    }

    /// All but one of so many parts, where that suffices.
    private mutating func reduced(
        _ inputs: [TimedInput], _ parts: Int, _ check: Check
    ) -> [TimedInput]? {
        let size = (inputs.count + parts - 1) / parts
        // The latest are needed the most often.
        for begin in stride(from: 0, to: inputs.count, by: size) {
            guard plays < budget else { return nil }
            let rest = Array(inputs[..<begin] + inputs[min(inputs.count, begin + size)...])
            plays += 1
            if play(rest)?.check == check { return rest }
        }
        return nil
    }
}
