// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

/// Starts one system for a whole suite and stops it after the last test.
struct OneInstance: SuiteTrait, TestScoping {
    @TaskLocal private static var current: Result<Instance, any Error>?

    /// The suite's system.
    static func shared() throws -> Instance {
        guard let current else { throw SystemFailure("the suite has no .oneInstance") }
        return try current.get()
    }

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        test.isSuite ? self : nil
    }

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        guard Built.canStart else { return try await function() }
        let instance = Result { try Instance() }
        try await Self.$current.withValue(instance) { try await function() }
        if case .success(let instance) = instance { _ = instance.stop() }
    }
}

extension Trait where Self == OneInstance {
    /// One running system for the whole suite.
    static var oneInstance: Self { Self() }
}
