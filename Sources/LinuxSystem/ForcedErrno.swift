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
            /// So many bytes go with one call of a name at most.
            let most: [SystemCall: Int]

            init(_ answers: [SystemCall: [Errno?]], most: [SystemCall: Int]) {
                self.answers = answers
                self.most = most
            }

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

        static func most(_ call: SystemCall) -> Int { script?.most[call] ?? .max }

        /// Runs `body` while the calls named in `answers` fail; a nil lets one through.
        ///
        /// - Parameter most: of which calls each moves so many bytes at most, as one that is short.
        @discardableResult
        package static func run<Value>(
            _ answers: [SystemCall: [Errno?]], most: [SystemCall: Int] = [:],
            _ body: () throws -> Value
        ) rethrows -> (value: Value, isUsedUp: Bool) {
            let script = Script(answers, most: most)
            let value = try $script.withValue(script) { try body() }
            return (value, script.isUsedUp)
        }
    }
#endif
