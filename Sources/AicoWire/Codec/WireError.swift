// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Says where and why bytes are not a message.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The message that was being read, as `order`.
    package let subject: String
    /// The offset of the first byte that is wrong.
    package let offset: Int
    /// The rule that was broken.
    package let reason: Reason

    /// The rules that a frame can break.
    package enum Reason: Sendable, Equatable {
        /// More bytes were announced or needed than there are.
        case truncated(needed: Int, left: Int)
        /// The message ended before the frame did.
        case trailingBytes(Int)
        /// A frame, string, list or blob is longer than permitted.
        case tooLarge(field: String, count: Int, limit: Int)
        /// The first byte is not the protocol's version.
        case unknownVersion(UInt8)
        /// A tag byte names no known case.
        case unknownTag(field: String, value: UInt8)
        /// A text is not UTF-8.
        case invalidUTF8(field: String)
        /// A value lies outside of its type's range.
        case outOfRange(field: String)
    }

    package init(subject: String, offset: Int, reason: Reason) {
        self.subject = subject
        self.offset = offset
        self.reason = reason
    }

    /// The error as one sentence.
    package var description: String { "cannot decode \(subject) at byte \(offset): \(sentence)" }

    private var sentence: String {
        switch reason {
        case .truncated(let needed, let left): "needs \(needed) bytes and has \(left)"
        case .trailingBytes(let count): "\(count) bytes follow the message"
        case .tooLarge(let field, let count, let limit): "\(field) has \(count), limit \(limit)"
        case .unknownVersion(let version): "unknown version \(version)"
        case .unknownTag(let field, let value): "unknown \(field) \(value)"
        case .invalidUTF8(let field): "\(field) is not UTF-8"
        case .outOfRange(let field): "\(field) is out of range"
        }
    }
}

/// Bounds of every frame on the class pipes.
package enum WireLimits {
    /// The first byte of every order and report.
    package static let version: UInt8 = 1
    /// The longest frame; both ends set it as the socket's limit too.
    package static let maximumFrameBytes = 256 * 1024
    /// The longest text; encoders cut longer ones at a character's end.
    package static let maximumStringBytes = 64 * 1024
    /// The longest blob of JSON: a task's config or result.
    package static let maximumBlobBytes = 64 * 1024
    /// The longest list.
    package static let maximumListCount = 64
    /// Layer names, system call names and details; longer ones are cut by encoders.
    package static let maximumNameBytes = 512
}
