// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import LinuxSystem

/// The program `aico-profilec`: compiles one profile to a plan on standard output. The supervisor
/// runs it under a uid of its own, so that no text is parsed by root.
package enum ProfilecProgram {
    /// Answers one request; gives the exit status.
    package static func run(_ words: [String]) -> Int32 {
        // It is the supervisor's own, which must not wait for whoever reads it.
        let diagnostics = DiagnosticStream(name: "aico-profilec")
        do {
            let request = try Request(Array(words.dropFirst()))
            let answer = try request.answer {
                diagnostics.write(Array("aico-profilec: \($0)\n".utf8))
            }
            guard writeAll(answer) else { throw RequestError("cannot write to standard output") }
            return 0
        } catch {
            diagnostics.write(Array("aico-profilec: \(error)\n".utf8))
            return error is RequestError ? 2 : 1
        }
    }

    /// Writes to standard output to the end.
    private static func writeAll(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
