// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What a worker executable printed when it was asked for its types, or why it did not.
///
/// The supervisor asks, and hands all answers to the scheduler as one file; what a text says is as
/// hostile as the rest of what a worker says.
package enum WorkerDescription: Sendable, Equatable {
    /// A JSON document.
    case text([UInt8])
    /// In words.
    case failed(String)

    /// No text is longer.
    package static let maximumBytes = 256 * 1024
    /// The descriptor on which the scheduler finds the file.
    package static let descriptor: Int32 = 4

    private var parts: (kind: UInt8, bytes: [UInt8]) {
        switch self {
        case .text(let bytes): (0, bytes)
        case .failed(let words): (1, Array(words.utf8))
        }
    }

    /// Encodes those of all workers, by their numbers: of each a byte for its kind (0 text, 1 failed),
    /// its length as a UInt32, little endian, and its bytes.
    package static func encode(_ descriptions: [WorkerDescription]) -> [UInt8] {
        descriptions.flatMap { description in
            let (kind, bytes) = description.parts
            let length = withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) }
            return [kind] + length + bytes
        }
    }

    /// Decodes; nil where anything at all is not as `encode` writes it.
    package static func decode(_ bytes: [UInt8]) -> [WorkerDescription]? {
        var rest = bytes[...]
        var descriptions: [WorkerDescription] = []
        while let kind = rest.popFirst() {
            guard kind <= 1, rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= maximumBytes, rest.count >= length else { return nil }
            let body = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            descriptions.append(
                kind == 0 ? .text(body) : .failed(String(decoding: body, as: UTF8.self)))
        }
        return descriptions
    }
}
