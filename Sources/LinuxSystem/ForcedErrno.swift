// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#if DEBUG
    package import SystemPackage

    /// Makes calls of the kernel fail, for tests: there is none of it in a release build.
    package enum ForcedErrno {
        /// What the next calls of one name come to; the kernel answers those after them.
        package final class Script: @unchecked Sendable {
            // One thread: the test's, whose task-local value it is.
            private var answers: [SystemCall: [Errno?]]

            init(_ answers: [SystemCall: [Errno?]]) { self.answers = answers }

            func next(_ call: SystemCall) -> Errno? {
                guard var left = answers[call], !left.isEmpty else { return nil }
                defer { answers[call] = left }
                return left.removeFirst()
            }

            /// Whether every answer was given: a call that is never made proves nothing.
            package var isUsedUp: Bool { answers.values.allSatisfy(\.isEmpty) }
        }

        @TaskLocal private static var script: Script?

        static func next(_ call: SystemCall) -> Errno? { script?.next(call) }

        /// Runs `body` while the calls named in `answers` fail; a nil lets one through.
        @discardableResult
        package static func run<Value>(
            _ answers: [SystemCall: [Errno?]], _ body: () throws -> Value
        ) rethrows -> (value: Value, isUsedUp: Bool) {
            let script = Script(answers)
            let value = try $script.withValue(script) { try body() }
            return (value, script.isUsedUp)
        }
    }
#endif
