// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Testing

@testable import AicoCommands

struct TableTests {
    private let table = Table(
        [
            .init(title: "NAME", minimum: 6), .init(title: "N", isRight: true),
            .init(title: "STATE", rank: 1), .init(title: "NOTE", minimum: 4, rank: 0),
        ],
        rows: [
            [.init("写真バックアップ"), .init("7"), .init("ok"), .init("")],
            [.init("ne\u{301}e"), .init("1234"), .init("running"), .init("all of it is long")],
            [.init("x\u{1B}[31m\r\n"), .init("12"), .init("ok")],
        ])

    @Test func withoutAWidthNothingIsCut() {
        #expect(
            table.text(width: nil, coloured: false) == """
                NAME                 N  STATE    NOTE
                写真バックアップ     7  ok
                ne\u{301}e               1234  running  all of it is long
                x\\x1b[31m\\r\\n       12  ok

                """)
    }

    @Test func theWidestShrinksFirst() {
        #expect(
            table.text(width: 44, coloured: false) == """
                NAME              N  STATE    NOTE
                写真バックア…     7  ok
                ne\u{301}e            1234  running  all of it is…
                x\\x1b[31m\\r\\n    12  ok

                """)
    }

    @Test func theLeastRankIsLeftOut() {
        #expect(
            table.text(width: 24, coloured: false) == """
                NAME          N  STATE
                写真バッ…     7  ok
                ne\u{301}e        1234  running
                x\\x1b[31…    12  ok

                """)
        #expect(
            table.text(width: 14, coloured: false) == """
                NAME         N
                写真バ…      7
                ne\u{301}e       1234
                x\\x1b[3…    12

                """)
    }

    @Test func coloursAreAroundTextsOnly() {
        let table = Table(
            [.init(title: "A"), .init(title: "B")], rows: [[.init("x", .bad), .init("", .good)]])
        #expect(
            table.text(width: 80, coloured: true)
                == "\u{1B}[1mA\u{1B}[0m  \u{1B}[1mB\u{1B}[0m\n\u{1B}[31mx\u{1B}[0m\n")
    }

    @Test func aDroppedColumnIsGoneFromAllRows() {
        #expect(
            table.dropping(column: 3).dropping(column: 0).text(width: 80, coloured: false) == """
                   N  STATE
                   7  ok
                1234  running
                  12  ok

                """)
    }

    @Test(arguments: Array(45...120))
    func listsFitTheTerminal(width: Int) {
        let tasks = [Samples.task, Samples.disabledTask].map { TaskView($0) }
        let executions = [ExecutionView(Samples.execution)]
        for table in [
            TaskView.table(tasks, now: CommandRun.now),
            ExecutionView.table(executions, now: CommandRun.now),
        ] {
            let lines = table.text(width: width, coloured: false).lines
            #expect(lines.allSatisfy { $0.width <= width })
            #expect(lines.allSatisfy { !$0.text.hasSuffix(" ") })
        }
    }
}
