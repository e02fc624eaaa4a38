// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Foundation

/// A short-lived instance root with the directories that the supervisor would make.
final class InstanceRoot: Sendable {
    let path: String

    init(configuration: String = "") throws {
        path = "/tmp/aico-sched-\(UInt32.random(in: 0...UInt32.max))"
        for directory in [
            "etc/aico", "var/lib/aico/store", "var/lib/aico/keys/clients",
            "var/lib/aico/integrity", "run/aico/bus", "run/aico/class/maintenance",
            "run/aico/class/security", "run/aico/class/agency", "run/aico/class/user", "bin",
            "profiles",
        ] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(directory)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o750])
        }
        // Whatever the machine is busy with must not hold a test back.
        let text = """
            scheduler:
              max_cpu_percent: 100
              max_memory_percent: 100

            """
        try write(configuration.isEmpty ? text : configuration, to: "etc/aico/core.yaml")
        for name in ["maintenance", "security", "agency", "user"] {
            try describe(name, types: Self.types[name] ?? "")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String, mode: Int = 0o640) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    /// Puts an executable in place that describes types as a worker does.
    func describe(_ taskClass: String, types: String) throws {
        let text = "{\"class\":\"\(taskClass)\",\"types\":[\(types)]}"
        try write(
            "#!/bin/sh\n[ \"$1\" = --describe ] || exit 1\ncat <<'END'\n\(text)\nEND\n",
            to: "bin/aico-worker-\(taskClass)", mode: 0o755)
    }

    private static let types = [
        "maintenance": """
        {"id":"maintenance.health_check","summary":"looks","capabilities":[],"timeout":60,
        "config":[{"name":"check_database","type":"boolean"},
        {"name":"check_message_bus","type":"boolean"},
        {"name":"check_disk_space","type":"boolean"}]}
        """,
        "user": """
        {"id":"user.command","summary":"runs","capabilities":[],"timeout":300,
        "config":[{"name":"argv","type":"string_list","required":true},
        {"name":"limit","type":"integer","minimum":1,"maximum":9}]}
        """,
    ]
}
