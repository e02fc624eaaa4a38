// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A dictionary that falls into parts once it is large: one more entry among a million moves the
/// entries of one part where there is no room, and not all of them. A small one is one part.
package struct PartedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable, Sequence {
    /// How many parts a large one has; a power of two.
    static var partCount: Int { 512 }
    /// Beyond so many entries it is large: these are moved once, within a millisecond.
    static var smallCount: Int { 4096 }

    private(set) var parts: [[Key: Value]] = [[:]]
    /// How many entries it has.
    package private(set) var count = 0

    init() {}

    /// Whether it has no entry.
    package var isEmpty: Bool { count == 0 }

    private func part(of key: Key) -> Int {
        // A part hashes its keys with a seed of its own: they do not crowd in it.
        parts.count == 1 ? 0 : key.hashValue & (Self.partCount - 1)
    }

    /// The value of a key; nil where there is none.
    package internal(set) subscript(key: Key) -> Value? {
        get { parts[part(of: key)][key] }
        _modify {
            let part = part(of: key)
            let before = parts[part].count
            defer {
                count += parts[part].count - before
                if count > Self.smallCount, parts.count == 1 { split() }
            }
            yield &parts[part][key]
        }
    }

    /// Takes an entry out; gives its value.
    mutating func removeValue(forKey key: Key) -> Value? {
        guard let value = parts[part(of: key)].removeValue(forKey: key) else { return nil }
        count -= 1
        if count == 0 { parts = [[:]] }
        return value
    }

    private mutating func split() {
        let all = parts[0]
        parts = Array(repeating: [:], count: Self.partCount)
        for (key, value) in all { parts[part(of: key)][key] = value }
    }

    /// All values, in no order.
    package var values: Values { Values(entries: self) }
    /// All keys, in no order.
    package var keys: Keys { Keys(entries: self) }

    /// Walks over all entries, in no order.
    package func makeIterator() -> Iterator { Iterator(parts: parts) }

    /// Walks over entries.
    package struct Iterator: IteratorProtocol {
        private let parts: [[Key: Value]]
        private var index = 1
        private var part: [Key: Value].Iterator

        fileprivate init(parts: [[Key: Value]]) {
            self.parts = parts
            part = parts[0].makeIterator()
        }

        /// The next entry.
        package mutating func next() -> (key: Key, value: Value)? {
            while true {
                if let entry = part.next() { return entry }
                guard index < parts.count else { return nil }
                part = parts[index].makeIterator()
                index += 1
            }
        }
    }

    /// Its values.
    package struct Values: Sequence {
        fileprivate let entries: PartedDictionary

        /// Walks over them.
        package func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }

        /// Walks over values.
        package struct Iterator: IteratorProtocol {
            fileprivate var entries: PartedDictionary.Iterator

            /// The next value.
            package mutating func next() -> Value? { entries.next()?.value }
        }
    }

    /// Its keys.
    package struct Keys: Sequence {
        fileprivate let entries: PartedDictionary

        /// Walks over them.
        package func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }

        /// Walks over keys.
        package struct Iterator: IteratorProtocol {
            fileprivate var entries: PartedDictionary.Iterator

            /// The next key.
            package mutating func next() -> Key? { entries.next()?.key }
        }
    }
}
