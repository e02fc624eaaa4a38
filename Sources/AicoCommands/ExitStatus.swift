// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What the exit code of `aico` says.
enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done.
    case done = 0
    /// It was tried and failed; for `run`, the execution did.
    case failed = 1
    /// The command line, or a value of it, is wrong.
    case usage = 2
    /// There is no such task, execution or dead letter.
    case notFound = 3
    /// A permission or a policy forbids it.
    case refused = 4
    /// No scheduler answers.
    case noDaemon = 5
    /// Ctrl-C ended it, as shells say it.
    case interrupted = 130
    /// Whoever read standard output went away, as shells say it of SIGPIPE.
    case unread = 141
}

/// Why a verb ends without being done: what, why, and what to type next.
struct Failure: Error, Equatable {
    /// The exit code.
    let status: ExitStatus
    /// What failed and why; empty where all was said.
    let message: String
    /// What to type next; may be empty.
    let hint: String

    init(_ status: ExitStatus, _ message: String, hint: String = "") {
        self.status = status
        self.message = message
        self.hint = hint
    }

    /// The same failure where the command line itself named a root: what its hint tells to type
    /// means that root too, not the installed system.
    func naming(root: String?) -> Failure {
        guard let root else { return self }
        let typed = "aico --root \(ShellWord.quoted(root)) "
        return Failure(
            status, message, hint: hint.replacing(/\baico (?=sched|superv)/, with: { _ in typed }))
    }

    /// The lines for standard error.
    var text: PlainText {
        guard !message.isEmpty else { return "" }
        return "aico: \(message)\n" + (hint.isEmpty ? "" : "hint: \(hint)\n")
    }
}
