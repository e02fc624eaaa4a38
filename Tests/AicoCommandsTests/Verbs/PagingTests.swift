// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

/// Lists that are longer than one reply.
@Suite(.serialized)
struct PagingTests {
    private static let ids = (1...1234).map { number in
        "user.t\(String(repeating: "0", count: 4 - "\(number)".utf8.count))\(number)"
    }

    /// Answers as a scheduler of 1234 tasks and 2500 executions.
    private static let script: FakeBus.Script = { request in
        let limit = request.body["limit"]?.int ?? 20
        if request.topic == .taskList {
            let after = request.body["after"]?.string ?? ""
            let page = ids.filter { $0 > after }.prefix(limit)
            let isLast = page.last == ids.last || page.isEmpty
            return .data([
                "tasks": .array(page.map { ["id": .string($0), "schedule": "@daily"] }),
                "next": isLast ? .null : .string(page.last ?? ""),
            ])
        }
        if request.topic == .deadLetterList {
            let first = (request.body["after"]?.int ?? 2501) - 1
            let last = max(1, first - limit + 1)
            return .data([
                "dead_letters": .array(
                    (last...first).reversed().map { ["id": .int($0), "task": "user.a"] }),
                "next": last > 1 ? .int(last) : .null,
            ])
        }
        let start = request.body["after"]?.string.flatMap { Int($0.dropFirst(2)) } ?? 0
        let end = min(2500, start + limit)
        return .data([
            "executions": .array(
                (start..<end).map { ["execution": .string("\($0)"), "task": "user.a"] }),
            "next": end < 2500 ? .string("c-\(end)") : .null,
        ])
    }

    @Test func aListIsWholeHoweverManyPagesItHas() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script)
        let run = CommandRun(["scheduler", "list", "--json"], root: root)
        let document = try run.document()
        #expect(document["tasks"]?.array?.compactMap { $0["id"]?.string } == Self.ids)
        #expect(document["next"] == .null)
        #expect(
            bus.requests.map(\.body) == [
                ["limit": 500], ["limit": 500, "after": "user.t0500"],
                ["limit": 500, "after": "user.t1000"],
            ])
    }

    @Test func aLimitSaysWhereToGoOn() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script)
        let run = CommandRun(
            ["scheduler", "list", "--limit", "2", "--after", "user.t0007"], root: root)
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count == 3)
        #expect(run.output.contains("user.t0008") && run.output.contains("user.t0009"))
        #expect(run.talk == "there are more tasks; go on with --after user.t0009\n")
        #expect(bus.requests.map(\.body) == [["limit": 2, "after": "user.t0007"]])
        let long = CommandRun(["scheduler", "list", "--limit", "700", "--json"], root: root)
        #expect(try long.document()["tasks"]?.array?.count == 700)
        #expect(try long.document()["next"] == "user.t0700")
        #expect(bus.requests.last?.body == ["limit": 200, "after": "user.t0500"])
    }

    @Test(arguments: [(2300, 2300), (5000, 2500), (1000, 1000), (1, 1)])
    func aHistoryFollowsItsPages(limit: Int, count: Int) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script)
        let run = CommandRun(["scheduler", "history", "-n", "\(limit)", "--json"], root: root)
        let document = try run.document()
        #expect(
            document["executions"]?.array?.map { $0["execution"]?.string }
                == (0..<count).map { "\($0)" })
        #expect(bus.requests.count == (count + 999) / 1000)
        #expect(bus.requests.allSatisfy { ($0.body["limit"]?.int ?? 0) <= 1000 })
        #expect(document["next"] == (count < 2500 ? .string("c-\(count)") : .null))
    }

    @Test func allDeadLettersAreListedPageByPage() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.script)
        let all = try CommandRun(["scheduler", "dlq", "list", "--json"], root: root).document()
        #expect(
            all["dead_letters"]?.array?.map { $0["id"] } == (1...2500).reversed().map { .int($0) })
        #expect(all["next"] == .null)
        #expect(
            bus.requests.map(\.body) == [
                ["limit": 1000], ["limit": 1000, "after": 1501], ["limit": 1000, "after": 501],
            ])
        let some = CommandRun(
            ["scheduler", "dlq", "list", "--limit", "2", "--after", "7"], root: root)
        #expect(some.output.split(separator: "\n").count == 3)
        #expect(some.talk == "there are more dead letters; go on with --after 5\n")
        #expect(bus.requests.last?.body == ["limit": 2, "after": 7])
    }

    @Test func aCursorThatStaysIsNotFollowedForEver() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { _ in .data(["tasks": [], "next": "user.a"]) }
        let run = CommandRun(["scheduler", "list"], root: root)
        #expect(run.status == 1)
        #expect(
            run.talk
                == "aico: cannot list: after \"user.a\" the scheduler names the same place again\n")
        #expect(bus.requests.count == 2)
    }

    // MARK: - Rows that cannot be read

    /// Pages of which the second has nothing but rows that are left out.
    private static func leavingOut(_ member: String, behind places: [JSONValue]) -> FakeBus.Script {
        { request in
            let after = request.body["after"]
            let page: (element: [JSONValue], next: JSONValue, leftOut: Int) =
                if after == places[0] {
                    ([], places[1], 4)
                } else if after == places[1] {
                    ([["id": 14, "execution": "e1", "line": "one"]], .null, 0)
                } else {
                    ([["id": 9, "execution": "e9", "line": "nine"]], places[0], 1)
                }
            return .data([
                member: .array(page.element), "next": page.next, "more": .bool(page.next != .null),
                "left_out": .int(page.leftOut), "execution": Samples.execution,
            ])
        }
    }

    @Test(
        arguments: [
            (["history"], "executions", ["e9", "row:5"]),
            (["dlq", "list"], "dead_letters", [9, 5]),
            (["logs", "user.photos"], "lines", [9, 13]),
        ] as [([String], String, [JSONValue])])
    func whatIsLeftOutOfPagesIsSaidInOneLine(
        verb: [String], member: String, places: [JSONValue]
    ) throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root, Self.leavingOut(member, behind: places))
        let run = CommandRun(["scheduler"] + verb, root: root)
        #expect(run.status == 0)
        #expect(
            run.talk == "5 rows of the store could not be read and are left out; "
                + "\"aico scheduler health\" says more\n")
        #expect(bus.requests.map { $0.body["after"] } == [nil, places[0], places[1]])
        let json = CommandRun(["scheduler"] + verb + ["--json"], root: root)
        let document = try json.document()
        #expect(document["left_out"] == 5)
        #expect(document[member]?.array?.map { $0["id"] } == [9, 14])
        #expect(json.talk == "")
    }

    @Test func oneRowThatIsLeftOutIsOne() throws {
        let root = try CommandRoot()
        let bus = try FakeBus(root) { request in
            .data([
                "task": Samples.task, "executions": [], "execution": Samples.execution,
                "left_out": 1,
            ])
        }
        for name in ["user.photos", "3f2a91c0"] {
            let run = CommandRun(["scheduler", "show", name], root: root)
            #expect(run.status == 0)
            #expect(
                run.talk == "1 row of the store could not be read and is left out; "
                    + "\"aico scheduler health\" says more\n")
        }
        #expect(bus.requests.count == 2)
    }
}
