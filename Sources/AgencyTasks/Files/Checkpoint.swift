// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A file's first bytes in short: tells whether it is still the same file.
struct FileHead: Equatable {
    /// How many bytes at most are looked at.
    static let maximumBytes = 4096

    let bytes: Int
    /// FNV-1a of 64 bits.
    let hash: UInt64

    init(bytes: Int, hash: UInt64) {
        self.bytes = bytes
        self.hash = hash
    }

    init(_ content: some Collection<UInt8>) {
        bytes = content.count
        hash = content.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// How much of a file is looked at of which `offset` bytes were read.
    static func length(of offset: Int64) -> Int { Int(min(offset, Int64(maximumBytes))) }
}

/// How far a file was read.
struct Checkpoint: Equatable {
    var inode: UInt64
    /// For people: a file that gets another name stays the same file.
    var name: String
    var offset: Int64
    /// Whether what follows belongs to a line that was too long.
    var isSkipping: Bool
    var head: FileHead
}

/// Where reading a file begins.
enum Resume: Equatable {
    /// At the first byte of a file that nobody read.
    case new
    /// At the first byte: it is shorter than what was read of it.
    case shorter
    /// At the first byte: it begins otherwise than it did, as after the reuse of an inode.
    case rewritten
    case at(Int64, isSkipping: Bool)

    /// Compares a file with its checkpoint.
    ///
    /// - Parameter head: gives the file's first bytes in short; nil where it has fewer.
    init(
        checkpoint: Checkpoint?, size: Int64, head: (Int) throws -> FileHead?
    ) rethrows {
        guard let checkpoint else {
            self = .new
            return
        }
        guard size >= checkpoint.offset else {
            self = .shorter
            return
        }
        guard try head(checkpoint.head.bytes) == checkpoint.head else {
            self = .rewritten
            return
        }
        self = .at(checkpoint.offset, isSkipping: checkpoint.isSkipping)
    }

    var offset: Int64 {
        switch self {
        case .new, .shorter, .rewritten: 0
        case .at(let offset, _): offset
        }
    }

    var isSkipping: Bool {
        switch self {
        case .new, .shorter, .rewritten: false
        case .at(_, let isSkipping): isSkipping
        }
    }
}
