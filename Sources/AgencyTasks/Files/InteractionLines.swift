// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Cuts what is read of a file into lines, and knows from where another run would go on.
struct InteractionLines {
    /// What a file consists of.
    enum Piece: Equatable {
        /// A line without its end.
        case line([UInt8])
        /// A line of more than `maximumBytes`; said once, when that shows.
        case tooLong
    }

    let maximumBytes: Int
    /// Where the first byte lies that belongs to no piece yet.
    private(set) var offset: Int64
    /// Whether what lies at `offset` belongs to a line that is too long.
    private(set) var isSkipping: Bool
    private var pending: [UInt8] = []

    /// Goes on in a file at a place that `offset` and `isSkipping` said before.
    init(maximumBytes: Int, offset: Int64 = 0, isSkipping: Bool = false) {
        self.maximumBytes = maximumBytes
        self.offset = offset
        self.isSkipping = isSkipping
    }

    /// Takes the bytes that follow and gives the pieces that end in them; blank lines are none.
    mutating func feed(_ chunk: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var rest = chunk[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let part = rest[..<end]
            if !isSkipping {
                if pending.count + part.count > maximumBytes {
                    pieces.append(.tooLong)
                } else {
                    let line = pending + part
                    if line.contains(where: { !Self.isSpace($0) }) { pieces.append(.line(line)) }
                }
            }
            isSkipping = false
            offset += Int64(pending.count + part.count + 1)
            pending = []
            rest = rest[(end + 1)...]
        }
        if !isSkipping {
            pending += rest
            guard pending.count > maximumBytes else { return pieces }
            pieces.append(.tooLong)
            isSkipping = true
            offset += Int64(pending.count)
            pending = []
        } else {
            offset += Int64(rest.count)
        }
        return pieces
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }
}
