// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A way out of the sandbox that a class's canary tries; the raw value names it in the report.
package enum EscapeCheck: String, Sendable, CaseIterable {
    case readShadow = "read_shadow"
    case writeFirstMemory = "write_first_memory"
    case writeCorePattern = "write_core_pattern"
    case writeSysrqTrigger = "write_sysrq_trigger"
    case changeDevice = "change_device"
    case createInUsr = "create_in_usr"
    case createInRoot = "create_in_root"
    case makeDevice = "make_device"
    case becomeRoot = "become_root"
    case holdCapability = "hold_capability"
    case regainCapability = "regain_capability"
    case inheritDescriptor = "inherit_descriptor"
    case enterRunDirectory = "enter_run_directory"
    case signalWorker = "signal_worker"
    case gainPrivileges = "gain_privileges"
    case runUnfiltered = "run_unfiltered"

    /// What the canary could do by it, in words.
    package var words: String {
        switch self {
        case .readShadow: "open /etc/shadow"
        case .writeFirstMemory: "open the memory of process 1"
        case .writeCorePattern: "open core_pattern for writing"
        case .writeSysrqTrigger: "open sysrq-trigger for writing"
        case .changeDevice: "change the mode of /dev/null"
        case .createInUsr: "create a file in /usr"
        case .createInRoot: "create a file in /"
        case .makeDevice: "make a device node"
        case .becomeRoot: "become root"
        case .holdCapability: "use a capability"
        case .regainCapability: "regain a capability"
        case .inheritDescriptor: "use a descriptor left open"
        case .enterRunDirectory: "see the run directory"
        case .signalWorker: "send its worker a signal"
        case .gainPrivileges: "gain privileges by exec"
        case .runUnfiltered: "run without a system call filter"
        }
    }
}

/// What a canary says once, as a line of its log, before its last call ends it.
///
/// A line that decodes encodes to the same text again: no two lines say the same.
package struct CanaryReport: Sendable, Equatable {
    /// How many ways it tried.
    package let tried: Int
    /// The ways that were open.
    package let open: Set<EscapeCheck>

    package init(tried: Int = EscapeCheck.allCases.count, open: Set<EscapeCheck>) {
        self.tried = tried
        self.open = open
    }

    /// The report as a line.
    package var line: String {
        let names = EscapeCheck.allCases.filter { open.contains($0) }.map(\.rawValue)
        return "canary/1 tried=\(tried) open=\(names.joined(separator: ","))"
    }

    /// Reads a line; nil where a single character is not as `line` writes it.
    package init?(line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].hasPrefix("tried="), parts[2].hasPrefix("open="),
            let tried = Int(parts[1].dropFirst("tried=".count))
        else { return nil }
        var open: Set<EscapeCheck> = []
        for name in parts[2].dropFirst("open=".count).split(separator: ",") {
            guard let way = EscapeCheck(rawValue: String(name)) else { return nil }
            open.insert(way)
        }
        self.init(tried: tried, open: open)
        guard self.line == line else { return nil }
    }
}

extension TaskClass {
    /// The type that every worker of the class runs and none describes: no task can be made of it.
    package var canaryType: String { "\(name).canary" }
}
