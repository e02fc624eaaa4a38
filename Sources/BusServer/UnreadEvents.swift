// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Which subscribers read none of what is published to them.
///
/// Events wait in libzmq, which counts them and not their bytes; but what it cannot pass on fills
/// the kernel's buffer first. One whose buffer is full now and then is merely behind: it counts
/// whether the buffer was found full before each event of many.
struct UnreadEvents {
    /// Bytes of events that are published before one that reads none of them ends.
    let limit: Int
    private var published = 0
    /// Full at each look since the last count began.
    private var suspects: Set<Peer> = []

    init(limit: Int) { self.limit = limit }

    /// Looks before an event is published; gives those that are to end.
    ///
    /// - Parameters:
    ///   - known: all subscribers; asked for now and then.
    ///   - isFull: whether the kernel holds for a peer as much as it takes.
    mutating func look(at known: () -> [Peer], isFull: (Peer) -> Bool) -> Set<Peer> {
        suspects = suspects.filter(isFull)
        guard published >= limit / 2 else { return [] }
        published = 0
        let ended = suspects
        suspects = Set(known().filter { !ended.contains($0) && isFull($0) })
        return ended
    }

    /// Counts an event that was published.
    mutating func count(bytes: Int) { published += bytes }

    /// Forgets a connection that is gone.
    mutating func forget(_ peer: Peer) { suspects.remove(peer) }
}
