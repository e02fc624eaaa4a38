// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

extension Instance {
    /// Writes a client key file as an administrator does; it counts from the next start.
    func writeClientKey(_ text: String, name: String) throws {
        let path = "\(root)/var/lib/aico/keys/clients/\(name).key"
        try writeFile(text, to: path, mode: 0o440)
        // The scheduler's user, as aico-profilec gives it under a root.
        guard chown(path, 61000, 61002) == 0 else { throw HostError(step: "chown", errno: errno) }
    }

    /// Admits a client; its public key.
    @discardableResult
    func admit(
        _ name: String, role: String, publicKey: String = String(repeating: "5", count: 40)
    ) throws -> String {
        try writeClientKey("public \(publicKey)\nrole \(role)\n", name: name)
        return publicKey
    }
}

/// A directory with links to the built executables, for a test to replace.
func linkedExecutables() throws -> String {
    guard let bin = Built.directory else { throw HostError(step: "find bin", errno: ENOENT) }
    // On their file system: copies would be hundreds of megabytes.
    let directory = try temporaryDirectory("changed", below: bin)
    let programs =
        ["supervisor", "scheduler", "profilec"]
        + ["maintenance", "security", "agency", "user"].map { "worker-\($0)" }
    for program in programs {
        guard link("\(bin)/aico-\(program)", "\(directory)/aico-\(program)") == 0 else {
            throw HostError(step: "link aico-\(program)", errno: errno)
        }
    }
    return directory
}
