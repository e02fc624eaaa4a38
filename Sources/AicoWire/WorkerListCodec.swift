// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// A system's workers as `aico-profilec --workers` gives them to the supervisor.
///
/// Of each worker beside the four, in order: the length of its name in a byte, and the name.
package enum WorkerListCodec {
    /// No list is longer.
    package static let maximumBytes = WorkerID.maximumCount * (1 + WorkerID.maximumNameBytes)

    /// Encodes a list.
    package static func encode(_ workers: [WorkerID]) -> [UInt8] {
        workers.filter { !$0.isShipped }.flatMap { worker in
            [UInt8(worker.name.utf8.count)] + Array(worker.name.utf8)
        }
    }

    /// Decodes; nil where a name is none, stands twice or is one too many, or bytes are left.
    package static func decode(_ bytes: [UInt8]) -> [WorkerID]? {
        var rest = bytes[...]
        var names: [String] = []
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { return nil }
            names.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        guard let workers = try? WorkerID.list(beside: names), encode(workers) == bytes else {
            return nil
        }
        return workers
    }
}
