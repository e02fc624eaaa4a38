// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// The names of all tasks, sorted, in parts of a bounded length: one more among a million moves some
/// hundreds and not all that come after it.
package struct TaskNames: Sendable, Sequence {
    /// A part that grows beyond this becomes two.
    static let longestPart = 512

    /// Sorted, and none of them empty.
    private(set) var parts: [[TaskID]] = []

    init() {}

    /// Takes names in their order.
    init(sorted names: [TaskID]) {
        parts = stride(from: 0, to: names.count, by: Self.longestPart / 2).map {
            Array(names[$0..<Swift.min(names.count, $0 + Self.longestPart / 2)])
        }
    }

    /// Puts a name in that is not there.
    mutating func insert(_ id: TaskID) {
        guard let part = part(of: id) else { return parts = [[id]] }
        parts[part].insert(id, at: parts[part].partitionIndex(of: id))
        guard parts[part].count > Self.longestPart else { return }
        let rest = Array(parts[part][(Self.longestPart / 2)...])
        parts[part].removeLast(rest.count)
        parts.insert(rest, at: part + 1)
    }

    /// Takes a name out, where it is there.
    mutating func remove(_ id: TaskID) {
        guard let part = part(of: id) else { return }
        let index = parts[part].partitionIndex(of: id)
        guard index < parts[part].count, parts[part][index] == id else { return }
        parts[part].remove(at: index)
        if parts[part].isEmpty { parts.remove(at: part) }
    }

    /// All names, from the first on.
    package func makeIterator() -> Iterator { Iterator(parts: parts, part: 0, index: 0) }

    /// The names that come after one, which need not be there; all for nil.
    package func following(_ id: TaskID?) -> Iterator {
        guard let id, let part = part(of: id) else { return makeIterator() }
        var index = parts[part].partitionIndex(of: id)
        if index < parts[part].count, parts[part][index] == id { index += 1 }
        return Iterator(parts: parts, part: part, index: index)
    }

    /// At most so many names on each side of where a name stands, or would.
    package func near(_ id: TaskID, within distance: Int) -> [TaskID] {
        guard let part = part(of: id) else { return [] }
        let around = parts[Swift.max(0, part - 1)...Swift.min(parts.count - 1, part + 1)]
            .flatMap { $0 }
        let index = around.partitionIndex(of: id)
        return Array(
            around[Swift.max(0, index - distance)..<Swift.min(around.count, index + distance)])
    }

    /// The part that a name stands in, or belongs to; nil where there is none.
    private func part(of id: TaskID) -> Int? {
        guard !parts.isEmpty else { return nil }
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle][0] <= id { low = middle + 1 } else { high = middle }
        }
        return Swift.max(0, low - 1)
    }

    /// Walks over names in their order.
    package struct Iterator: IteratorProtocol, Sequence {
        fileprivate let parts: [[TaskID]]
        fileprivate var part: Int
        fileprivate var index: Int

        /// The next name.
        package mutating func next() -> TaskID? {
            guard part < parts.count else { return nil }
            guard index < parts[part].count else {
                part += 1
                index = 0
                return next()
            }
            defer { index += 1 }
            return parts[part][index]
        }
    }
}

extension [TaskID] {
    /// Where a name stands, or belongs, among sorted ones.
    fileprivate func partitionIndex(of id: TaskID) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
