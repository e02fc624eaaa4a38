// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Crypto
import Foundation
import TaskKit

@testable import SecurityTasks

/// Directories with files and a baseline of them; removed with their last holder.
final class IntegrityScratch: Sendable {
    static let names = ["bin/aico", "keys/master", "profiles/inner/user"]

    let path: String
    var baseline: String { path + "/baseline.json" }
    var directories: [String] { [path + "/profiles", path + "/keys"] }

    init() throws {
        path = "/tmp/aico-integrity-\(UInt64.random(in: 0...UInt64.max))"
        for name in ["", "/bin", "/profiles", "/profiles/inner", "/keys"] {
            try FileManager.default.createDirectory(
                atPath: path + name, withIntermediateDirectories: false)
        }
        for name in Self.names { try write(name, "content of \(name)") }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes into the file itself, so that owner and mode stay.
    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Records the files as another program does: with what Foundation and Crypto say of them.
    @discardableResult
    func record() throws -> JSONValue {
        let files = try Self.names.map { name -> JSONValue in
            let file = "\(path)/\(name)"
            var status = stat()
            guard lstat(file, &status) == 0 else { throw CocoaError(.fileNoSuchFile) }
            let content = try Data(contentsOf: URL(fileURLWithPath: file))
            let hash = SHA256.hash(data: content).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count < 2 ? "0" + digits : digits
            }
            return [
                "path": .string(file), "uid": .int(Int(status.st_uid)),
                "gid": .int(Int(status.st_gid)), "mode": .int(Int(status.st_mode)),
                "size": .int(content.count), "sha256": .string(hash.joined()),
            ]
        }
        let document: JSONValue = ["version": 1, "files": .array(files)]
        try write("baseline.json", document.text())
        return document
    }

    func config(ignore: [String] = []) -> JSONValue {
        [
            "baseline": .string(baseline), "programs": .string(path + "/bin"),
            "directories": .array(directories.map(JSONValue.string)),
            "ignore": .array(ignore.map(JSONValue.string)),
        ]
    }

    /// Runs the type; gives the failure's message, nil where it found no difference.
    func check(
        ignore: [String] = [], recorder: TaskRecorder = TaskRecorder()
    ) async throws -> String? {
        do {
            _ = try await recorder.run(IntegrityCheck.self, config: config(ignore: ignore))
            return nil
        } catch let failure as TaskFailure {
            return failure.message
        }
    }
}
