// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoKeys
import AicoStore
import FaultyVFS
import Foundation
import Testing

/// A disk that fails: what was answered is what is there, whatever failed, and wherever.
@Suite struct FaultTests {
    let scratch: Scratch
    let disk: FaultyDisk

    init() throws {
        scratch = try Scratch()
        disk = FaultyDisk(directory: scratch.path)
        let store = try scratch.store()
        try store.perform([.createTask(try Fixture.task())])
        try store.close()
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var call: FaultyDisk.Call
        var code: Int32
        var kind: StoreFailure
        var kept = 0
        var testDescription: String { "\(call) \(code) keeping \(kept)" }
    }

    /// Codes as in sqlite3.h.
    static let faults = [
        Fault(call: .write, code: 778, kind: .io),
        Fault(call: .write, code: 778, kind: .io, kept: 700),
        Fault(call: .write, code: 13, kind: .full),
        Fault(call: .write, code: 8, kind: .readOnly),
        Fault(call: .write, code: 7, kind: .noMemory),
        Fault(call: .write, code: 3082, kind: .noMemory),
        Fault(call: .write, code: 11, kind: .damaged),
        Fault(call: .sync, code: 1034, kind: .io),
        Fault(call: .sync, code: 13, kind: .full),
        Fault(call: .sync, code: 4242, kind: .other),
        Fault(call: .sync, code: 14, kind: .cannotOpen),
    ]

    private func writer() throws -> StoreWriter {
        try StoreWriter(store: try scratch.store())
    }

    private func batch(_ execution: String, at second: Int64) throws -> [StoreChange] {
        let old = try Fixture.task("user.\(execution)")
        return [
            try Fixture.claim(at: second, execution: execution), .createTask(old),
            .audit(AuditEntry(at: Fixture.start, actor: "a", action: "b", subject: execution)),
        ]
    }

    /// The executions of a copy of the files, as a recovery after a crash finds them.
    private func recovered() throws -> [String] {
        let copy = try Scratch()
        for name in ["aico.db", "aico.db-wal"] {
            try FileManager.default.copyItem(
                atPath: "\(scratch.path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        return try executions(in: copy.store())
    }

    private func executions(in store: TaskStore) throws -> [String] {
        #expect(try store.integrityProblems().isEmpty)
        let found = try store.executionsInOrder()
        // The whole of each batch or nothing of it.
        #expect(
            try store.tasks().records.map(\.id.text).sorted()
                == (["user.backup"] + found.map { "user.\($0)" }).sorted())
        return found
    }

    @Test(arguments: faults)
    func aFailureLeavesNothingBehindWhereverItComes(fault: Fault) throws {
        let writer = try writer()
        var expected: [String] = []
        var nth = 0
        var wasHit = true
        // Until the batch has fewer calls than the one that is to fail.
        while wasHit {
            nth += 1
            let before = disk.faults
            disk.fail(fault.call, nth: nth, code: fault.code, keeping: fault.kept)
            let result = try writer.written(batch("e\(nth)", at: Int64(nth)))
            disk.heal()
            wasHit = disk.faults > before
            #expect((result.failure != nil) == wasHit)
            if let failure = result.failure {
                #expect(failure.kind == fault.kind, "\(failure)")
            } else {
                expected.append("e\(nth)")
            }
            let afterFault = try recovered()
            #expect(afterFault == expected)
            #expect(try writer.written(batch("f\(nth)", at: Int64(1000 + nth))).failure == nil)
            expected.append("f\(nth)")
        }
        #expect(nth > 1)
        disk.losePower()
        writer.close()
        #expect(disk.restorePower() == 0)
        #expect(try executions(in: scratch.store()) == expected)
    }

    @Test(arguments: faults)
    func whatFailsForEverIsAnsweredEachTimeUntilItIsMended(fault: Fault) throws {
        let writer = try writer()
        #expect(try writer.written(batch("first", at: 0)).failure == nil)
        disk.fail(fault.call, times: nil, code: fault.code, keeping: fault.kept)
        for second in Int64(1)...3 {
            let result = try writer.written(batch("e\(second)", at: second))
            #expect(result.failure != nil)
            let found = try recovered()
            #expect(found == ["first"])
        }
        disk.heal()
        #expect(try writer.written(batch("last", at: 9)).failure == nil)
        writer.close()
        #expect(try executions(in: scratch.store()) == ["first", "last"])
    }

    @Test func whatIsAnsweredSurvivesAPowerCutAtOnce() throws {
        for round in UInt64(1)...30 {
            let writer = try writer()
            #expect(
                try writer.written(batch("e\(round)", at: Int64(round))).failure == nil)
            disk.losePower(seed: round)
            writer.close()
            #expect(disk.restorePower() == 0)
            #expect(
                try executions(in: scratch.store()) == (1...round).map { "e\($0)" })
        }
    }

    /// A detector that detects nothing proves nothing.
    @Test func withoutSyncsAPowerCutTakesWhatWasAnswered() throws {
        let store = try scratch.store()
        try store.execute("PRAGMA synchronous = OFF", outsideTransaction: true)
        try store.perform([try Fixture.claim()])
        disk.losePower()
        try? store.close()
        #expect(disk.restorePower() == 0)
        #expect(try scratch.store().count("task_executions") == 0)
    }

    @Test(arguments: UInt64(1)...12)
    func byChanceAllThatIsAnsweredIsTrue(seed: UInt64) throws {
        var written: [String] = []
        var failed = 0
        for life in 0..<6 {
            let writer = try writer()
            disk.failSometimes(seed: seed &* 1000 &+ UInt64(life), perMillion: 20_000)
            for step in 0..<40 {
                let second = life * 100 + step
                let result = try writer.written(batch("e\(second)", at: Int64(second)))
                if result.failure == nil { written.append("e\(second)") } else { failed += 1 }
            }
            disk.heal()
            if life % 2 == 0 { disk.losePower(seed: seed) }
            writer.close()
            #expect(disk.restorePower() == 0)
            let store = try scratch.store()
            let found = try executions(in: store)
            #expect(Array(found.difference(from: written)).isEmpty)
            #expect(try store.verifyAudit() == .intact(entries: written.count))
            try store.close()
        }
        #expect(failed > 0)
        #expect(written.count > 50)
    }

    @Test func aStoreThatCannotBeReadIsAFailureOfTheReaderAndPasses() throws {
        let writer = try writer()
        #expect(try writer.written(batch("e1", at: 1)).failure == nil)
        let reader = try StoreReader(
            path: scratch.database, keys: Fixture.keys, connections: 1)
        let query: StoreReader.Query = { store throws(StoreError) in
            Array(try store.history(limit: 9).map(\.id).joined().utf8)
        }
        disk.fail(.open, times: nil, code: 14)
        #expect(try reader.answer(query).failure?.kind == .cannotOpen)
        disk.heal()
        disk.fail(.read, times: nil, code: 266)
        #expect(try reader.answer(query).failure?.kind == .io)
        disk.heal()
        #expect(try reader.answer(query).get() == Array("e1".utf8))
    }
}
