// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Testing

/// Every line of a shipped profile that grants something says which feature needs it.
@Suite struct CommentTests {
    /// Sections whose entries grant without a list.
    static let entrySections: Set = ["directories", "layers"]
    /// Single lines that widen what is granted.
    static let wideningLines: Set = [
        "processes: children", "writable_executable_memory: true", "optional: true",
    ]

    /// The numbers of the lines that grant and say nothing.
    static func silentLines(of text: String) -> [Int] {
        var silent: [Int] = []
        var section = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let parts = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let content = String(parts[0]).trimmingSpaces
            guard !content.isEmpty else { continue }
            if line.first != " " { section = String(content.prefix { $0 != ":" }) }
            let isEntry = line.first == " " && entrySections.contains(section)
            let isList = content.hasPrefix("- ") || content.contains("[")
            guard isList || isEntry || wideningLines.contains(content) else { continue }
            let comment = parts.count > 1 ? String(parts[1]).trimmingSpaces : ""
            if comment.isEmpty { silent.append(index + 1) }
        }
        return silent
    }

    @Test(arguments: try Shipped.files()) func everyGrantingLineHasAComment(file: String) throws {
        let silent = Self.silentLines(of: try Shipped.text(file))
        #expect(silent == [], "lines of \(file)")
    }

    @Test func allFilesAreLookedAt() throws {
        let files = try Shipped.files()
        #expect(files.contains("user.yaml") && files.contains("include/polite.yaml"))
        #expect(files.count >= 11)
    }

    @Test func aLineWithoutACommentIsFound() {
        let text = """
            # A comment of its own.
            class: user
            readable:
              - /usr
              - /etc/hosts  # names
            devices: [null]
            directories:
              work: write
            processes: children
            processes: threads
            syscalls:
              allow:
                - read  #
            """
        #expect(Self.silentLines(of: text) == [4, 6, 8, 9, 13])
    }

    /// The comment is found after a value, and includes are used by somebody.
    @Test func everyIncludeIsIncluded() throws {
        let files = try Shipped.files()
        let mains = try files.filter { !$0.hasPrefix("include/") }.map { try Shipped.text($0) }
        for include in files where include.hasPrefix("include/") {
            #expect(mains.contains { $0.contains("- \(include)  #") }, "\(include)")
        }
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
