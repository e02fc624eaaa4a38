// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The colours of the command line; few, and each with one meaning.
enum Style: Sendable {
    case plain
    case heading
    case good
    case bad
    case warning
    case faint

    /// Wraps a text in the escape sequences of the style.
    func paint(_ text: PlainText, coloured: Bool) -> PlainText {
        guard coloured, let code, !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    private var code: String? {
        switch self {
        case .plain: nil
        case .heading: "1"
        case .good: "32"
        case .bad: "31"
        case .warning: "33"
        case .faint: "2"
        }
    }

    /// The style of an outcome, a status or a state by its name on the bus.
    static func of(_ name: String) -> Style {
        switch name {
        case "succeeded", "healthy", "running", "ok": .good
        case "failed_transient", "failed_permanent", "timed_out", "killed", "critical", "stopped",
            "canary_failed":
            .bad
        case "interrupted", "degraded", "starting", "waiting", "cancelled", "warning": .warning
        case "disabled": .faint
        default: .plain
        }
    }
}
