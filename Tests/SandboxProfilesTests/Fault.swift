// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Testing

/// One bad profile, named by its fault, with the words of its refusal.
struct Fault: Sendable, CustomTestStringConvertible {
    var name: String
    var taskClass = TaskClass.user
    /// Lines 7 and on, after `ProfileFixture.base`.
    var lines = ""
    /// The whole file instead.
    var whole: String?
    /// Included files by name.
    var includes: [String: String] = [:]
    var message: String

    var testDescription: String { name }

    init(
        _ name: String, of taskClass: TaskClass = .user, _ lines: String = "",
        whole: String? = nil, includes: [String: String] = [:], _ message: String
    ) {
        self.name = name
        self.taskClass = taskClass
        self.lines = lines
        self.whole = whole
        self.includes = includes
        self.message = message
    }

    /// All files of it.
    var files: [String: String] {
        var files = includes
        files["\(taskClass.name).yaml"] = whole ?? ProfileFixture.base(of: taskClass) + lines
        return files
    }

    /// The base with one line of it, counted from 1, changed.
    static func base(_ number: Int, _ line: String?) -> String {
        var lines = ProfileFixture.base.split(separator: "\n").map(String.init)
        if let line { lines[number - 1] = line } else { lines.remove(at: number - 1) }
        return lines.joined(separator: "\n") + "\n"
    }
}
