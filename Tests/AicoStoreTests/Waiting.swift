// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import Glibc

/// Waits for descriptors as the scheduler's loop does.
enum Waiting {
    struct TookTooLong: Error {}

    /// Polls until it is readable.
    static func readable(_ descriptor: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 60_000) == 1 else { throw TookTooLong() }
    }
}

extension StoreWriter {
    /// Writes one batch and waits for its result.
    func written(_ changes: [StoreChange], token: UInt64 = 1) throws -> BatchResult {
        submit(changes, token: token)
        return try results(1)[0].result
    }

    /// Waits for so many results.
    func results(_ count: Int) throws -> [(token: UInt64, result: BatchResult)] {
        var found: [(token: UInt64, result: BatchResult)] = []
        while found.count < count {
            try Waiting.readable(descriptor)
            found += take()
        }
        return found
    }
}

extension StoreReader {
    /// Asks one question and waits for its answer.
    func answer(limit: Duration = .seconds(10), _ query: @escaping Query) throws
        -> Result<[UInt8], StoreTrouble>
    {
        submit(token: 1, limit: limit, query)
        return try answers(1)[0].result
    }

    /// Waits for so many answers.
    func answers(_ count: Int) throws -> [(token: UInt64, result: Result<[UInt8], StoreTrouble>)] {
        var found: [(token: UInt64, result: Result<[UInt8], StoreTrouble>)] = []
        while found.count < count {
            try Waiting.readable(descriptor)
            found += take()
        }
        return found
    }
}

extension Result {
    /// The error; nil where it succeeded.
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
