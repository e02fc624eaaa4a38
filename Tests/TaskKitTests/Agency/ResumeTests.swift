// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

@testable import AgencyTasks

@Suite struct ResumeTests {
    private static let head = FileHead(Array("abc".utf8))
    private static let checkpoint = Checkpoint(
        inode: 7, name: "a.jsonl", offset: 3, isSkipping: true, head: head)

    private static func resume(
        _ checkpoint: Checkpoint?, size: Int64, head: FileHead?
    ) -> Resume {
        Resume(checkpoint: checkpoint, size: size) { _ in head }
    }

    @Test func theSameFileGoesOnWhereItWasLeft() {
        for size in [Int64(3), 1000] {
            let resume = Self.resume(Self.checkpoint, size: size, head: Self.head)
            #expect(resume == .at(3, isSkipping: true))
            #expect(resume.offset == 3 && resume.isSkipping)
        }
    }

    @Test(
        arguments: [
            (nil, 3, head, .new),
            (checkpoint, 2, head, .shorter),
            (checkpoint, 3, FileHead(Array("abd".utf8)), .rewritten),
            (checkpoint, 3, nil, .rewritten),
        ] as [(Checkpoint?, Int64, FileHead?, Resume)])
    func everyOtherFileIsReadFromItsBeginning(
        checkpoint: Checkpoint?, size: Int64, head: FileHead?, expected: Resume
    ) {
        let resume = Self.resume(checkpoint, size: size, head: head)
        #expect(resume == expected)
        #expect(resume.offset == 0 && !resume.isSkipping)
    }

    @Test func asMuchOfTheHeadIsComparedAsWasRead() {
        var asked = 0
        _ = Resume(checkpoint: Self.checkpoint, size: 9000) { count in
            asked = count
            return nil
        }
        #expect(asked == 3)
        #expect(FileHead.length(of: 9000) == 4096)
        #expect(FileHead.length(of: 5) == 5)
    }
}
