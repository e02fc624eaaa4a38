// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Executions of one task that wait for each other: a person goes before the clock.
struct Line: Sendable {
    /// Those that somebody asked for, the first to run first.
    var people = Row()
    /// Those of the clock, behind them.
    var clock = Row()

    /// The first to run.
    var first: String? { people.first ?? clock.first }
    /// Whether nothing waits.
    var isEmpty: Bool { people.isEmpty && clock.isEmpty }

    /// Puts an execution behind all of its kind.
    mutating func append(_ id: String, isRequested: Bool) {
        if isRequested { people.append(id) } else { clock.append(id) }
    }

    /// Puts an execution before all of its kind.
    mutating func prepend(_ id: String, isRequested: Bool) {
        if isRequested { people.prepend(id) } else { clock.prepend(id) }
    }

    /// Takes an execution out, where it is there.
    mutating func remove(_ id: String, isRequested: Bool) {
        if isRequested { people.remove(id) } else { clock.remove(id) }
    }
}

/// Names in a row, of which any may leave: none costs more among many than among few.
///
/// Who leaves leaves a gap, and where each stands is kept once they are many.
struct Row: Sendable, Sequence {
    /// So many are looked through one by one.
    static let shortCount = 16

    private var slots: [String?] = []
    /// The first slot that has a name; the last one's end where none has.
    private var head = 0
    /// The number of the first slot: what `places` counts from.
    private var base = 0
    /// The numbers of the slots of all names; none while they are few.
    private var places: [String: Int] = [:]
    /// How many names there are.
    private(set) var count = 0

    /// Whether there is none.
    var isEmpty: Bool { count == 0 }
    /// The first name.
    var first: String? { count == 0 ? nil : slots[head] }

    /// Puts a name that is not there behind all others.
    mutating func append(_ name: String) {
        slots.append(name)
        count += 1
        note(name, at: slots.count - 1)
    }

    /// Puts a name that is not there before all others.
    mutating func prepend(_ name: String) {
        if head > 0 {
            head -= 1
            slots[head] = name
        } else {
            slots.insert(name, at: 0)
            base -= 1
        }
        count += 1
        note(name, at: head)
    }

    /// Takes a name out, where it is there.
    mutating func remove(_ name: String) {
        guard let index = index(of: name) else { return }
        places[name] = nil
        slots[index] = nil
        count -= 1
        if count == 0 { return self = Row() }
        while slots[head] == nil { head += 1 }
        if slots.count > 2 * count + Self.shortCount { closeGaps() }
    }

    /// Walks over the names in their order.
    func makeIterator() -> some IteratorProtocol<String> {
        slots[head...].lazy.compactMap { $0 }.makeIterator()
    }

    private func index(of name: String) -> Int? {
        if first == name { return head }
        if places.isEmpty { return slots[head...].firstIndex(of: name) }
        return places[name].map { $0 - base }
    }

    private mutating func note(_ name: String, at index: Int) {
        if !places.isEmpty {
            places[name] = base + index
        } else if count > Self.shortCount {
            notePlaces()
        }
    }

    private mutating func notePlaces() {
        for (index, name) in slots.enumerated() {
            if let name { places[name] = base + index }
        }
    }

    /// Half of the slots are gaps, which pays for looking at all.
    private mutating func closeGaps() {
        slots = slots.filter { $0 != nil }
        head = 0
        base = 0
        places = [:]
        if count > Self.shortCount { notePlaces() }
    }
}
