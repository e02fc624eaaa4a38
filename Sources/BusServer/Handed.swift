// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// What libzmq may still hold of the replies that it took for one connection.
///
/// It does not say when one has left. It holds as many as its queue is long and the one that is
/// being sent, so older ones are gone; short ones are not worth the count.
struct Handed {
    /// Shorter replies are not counted.
    static let least = 16 << 10

    private(set) var bytes = 0
    private var sizes: [(number: Int, bytes: Int)] = []
    private var count = 0

    var isEmpty: Bool { bytes == 0 }

    mutating func add(_ size: Int, queueLength: Int) {
        count += 1
        if size >= Self.least {
            sizes.append((count, size))
            bytes += size
        }
        while let oldest = sizes.first, oldest.number + queueLength + 1 <= count {
            bytes -= oldest.bytes
            sizes.removeFirst()
        }
    }

    /// The peer has read all.
    mutating func clear() {
        sizes = []
        bytes = 0
    }
}
