// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Foundation
import Synchronization
import Testing

/// A short-lived instance root with the directories that the supervisor would make.
final class InstanceRoot: Sendable {
    let path: String
    private let told = Mutex<[WorkerDescription]>([])

    init(configuration: String = "") throws {
        path = "/tmp/aico-sched-\(UInt32.random(in: 0...UInt32.max))"
        for directory in [
            "etc/aico", "var/lib/aico/store", "var/lib/aico/keys/clients",
            "var/lib/aico/integrity", "run/aico/bus", "bin", "profiles",
        ] + (0..<6).map({ "run/aico/worker/\($0)" }) {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(directory)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o750])
        }
        // Whatever the machine is busy with must not hold a test back, nor its clock make something
        // due.
        let text = """
            scheduler:
              max_cpu_percent: 100
              max_memory_percent: 100
            tasks:
              maintenance:
                health_check:
                  enabled: false

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

    /// What the supervisor hands on of the workers, by their numbers.
    var descriptions: [WorkerDescription] { told.withLock(\.self) }

    /// Has a worker describe types of a class.
    func describe(_ taskClass: String, by number: Int? = nil, types: String) throws {
        let number = try number ?? Int(#require(TaskClass(name: taskClass)).rawValue)
        let text = "{\"class\":\"\(taskClass)\",\"types\":[\(types)]}"
        describe(by: number, .text(Array(text.utf8)))
    }

    /// Has a worker say this of itself.
    func describe(by number: Int, _ description: WorkerDescription) {
        told.withLock { told in
            while told.count <= number { told.append(.failed("is not there")) }
            told[number] = description
        }
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
