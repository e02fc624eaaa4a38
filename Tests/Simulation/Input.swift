// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Something that happens to the system from outside, at a time of the boot clock.
///
/// An episode's inputs are drawn before it runs, so that a trace can be shrunk by leaving some out.
struct Input: Sendable, CustomStringConvertible {
    enum Kind: Sendable, Equatable {
        case request(ClientRequest)
        /// The store fails, slowly or at once, for so many milliseconds.
        case storeFault(StoreFault, milliseconds: Int64)
        /// The scheduler dies after so many further actions.
        case crash(afterActions: Int)
        /// The scheduler is told to stop, and started anew later.
        case stop
        /// The machine is booted anew.
        case reboot
        case workerDeath(Int)
        /// A worker does not run for so many milliseconds.
        case workerFreeze(Int, milliseconds: Int64)
        /// A worker's report breaks a rule.
        case hostileReport(Int, HostileReport)
        /// The next attempt of a class neither ends nor heeds its limits.
        case deafAttempt(Int)
        /// A class's orders pipe has no room.
        case pipeFull(Int, milliseconds: Int64)
        /// The next canary of a class gets out.
        case openCanary(Int)
        case wallStep(milliseconds: Int64)
        case suspend(milliseconds: Int64)
        case load(cpu: Int, memory: Int)
        /// From the next start on.
        case settings(concurrency: Int, classConcurrency: Int)
    }

    let at: Int64
    let kind: Kind

    var description: String { "\(Double(at) / 1_000_000) s: \(kind)" }
}

enum StoreFault: String, Sendable, CaseIterable {
    case slow, busy, full, io
}

enum HostileReport: String, Sendable, CaseIterable {
    case doubled, skipped, foreign, unknown, malformed
}

/// What a client asks, of one of few names.
enum ClientRequest: Sendable, Equatable {
    case create(name: Int, shape: Int)
    case update(name: Int, shape: Int)
    case delete(name: Int)
    case enable(name: Int)
    case disable(name: Int)
    case run(name: Int)
    case cancel(name: Int, now: Bool)
    case retryLetter
    case purgeLetters
}

/// How an episode's inputs are drawn.
enum InputPlan {
    static let names = [
        "user.a", "user.b", "user.c", "custom.d", "agency.e", "agency.f", "maintenance.g",
        "security.h",
    ]

    /// Draws the inputs of `hours`, of which the last three are quiet.
    static func draw(_ random: inout RandomSource, hours: Int) -> [Input] {
        var inputs: [Input] = []
        let end = Int64(hours - 3) * 3_600_000_000
        for name in names.indices where random.chance(800) {
            inputs.append(
                Input(
                    at: Int64(random.int(0...60_000_000)),
                    kind: .request(.create(name: name, shape: random.int(0...15)))))
        }
        // Storms and calm: what comes comes in bursts.
        var at: Int64 = 0
        while at < end {
            at += random.skewed(1_000_000...7_200_000_000)
            let burst = random.chance(300) ? random.int(2...8) : 1
            var time = at
            for _ in 0..<burst where time < end {
                inputs.append(Input(at: time, kind: kind(&random)))
                time += random.skewed(0...2_000_000)
            }
        }
        return inputs.sorted { $0.at < $1.at }
    }

    private static func kind(_ random: inout RandomSource) -> Input.Kind {
        let name = random.int(0...names.count - 1)
        let taskClass = random.int(0...3)
        switch random.int(0...99) {
        case 0..<8: return .request(.create(name: name, shape: random.int(0...15)))
        case 8..<12: return .request(.update(name: name, shape: random.int(0...15)))
        case 12..<17: return .request(.delete(name: name))
        case 17..<20: return .request(.enable(name: name))
        case 20..<22: return .request(.disable(name: name))
        case 22..<37: return .request(.run(name: name))
        case 37..<43: return .request(.cancel(name: name, now: random.chance(300)))
        case 43..<45: return .request(.retryLetter)
        case 45: return .request(.purgeLetters)
        case 46..<56:
            return .storeFault(
                random.pick(StoreFault.allCases), milliseconds: random.skewed(1...120_000))
        case 56..<64: return .crash(afterActions: random.int(0...12))
        case 64: return .stop
        case 65: return .reboot
        case 66..<70: return .workerDeath(taskClass)
        case 70..<72:
            return .workerFreeze(taskClass, milliseconds: random.skewed(1...60_000))
        case 72..<75: return .hostileReport(taskClass, random.pick(HostileReport.allCases))
        case 75..<77: return .deafAttempt(taskClass)
        case 77..<80: return .pipeFull(taskClass, milliseconds: random.skewed(1...30_000))
        case 80: return .openCanary(taskClass)
        case 81..<86:
            let size = random.skewed(1...(random.chance(100) ? 31_536_000_000 : 14_400_000))
            return .wallStep(milliseconds: random.chance(500) ? size : -size)
        case 86..<90: return .suspend(milliseconds: random.skewed(1000...28_800_000))
        case 90..<98: return .load(cpu: random.int(0...100), memory: random.int(0...100))
        default:
            return .settings(
                concurrency: random.int(1...10), classConcurrency: random.int(1...6))
        }
    }
}
