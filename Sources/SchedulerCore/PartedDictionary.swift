// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A dictionary in parts: one more entry among a million moves the entries of one part where there
/// is no room, and not all of them.
public struct PartedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable, Sequence {
    /// A power of two.
    static var partCount: Int { 512 }

    private(set) var parts: [[Key: Value]] = Array(repeating: [:], count: Self.partCount)
    /// How many entries it has.
    public private(set) var count = 0

    /// Makes an empty one.
    init() {}

    /// Whether it has no entry.
    public var isEmpty: Bool { count == 0 }

    private static func part(of key: Key) -> Int {
        // A part hashes its keys with a seed of its own: they do not crowd in it.
        key.hashValue & (partCount - 1)
    }

    /// The value of a key; nil where there is none.
    public internal(set) subscript(key: Key) -> Value? {
        get { parts[Self.part(of: key)][key] }
        _modify {
            let part = Self.part(of: key)
            let before = parts[part].count
            defer { count += parts[part].count - before }
            yield &parts[part][key]
        }
    }

    /// Takes an entry out; gives its value.
    mutating func removeValue(forKey key: Key) -> Value? {
        guard let value = parts[Self.part(of: key)].removeValue(forKey: key) else { return nil }
        count -= 1
        return value
    }

    /// All values, in no order.
    public var values: Values { Values(entries: self) }
    /// All keys, in no order.
    public var keys: Keys { Keys(entries: self) }

    /// Walks over all entries, in no order.
    public func makeIterator() -> Iterator { Iterator(parts: parts) }

    /// Walks over entries.
    public struct Iterator: IteratorProtocol {
        private let parts: [[Key: Value]]
        private var index = 1
        private var part: [Key: Value].Iterator

        fileprivate init(parts: [[Key: Value]]) {
            self.parts = parts
            part = parts[0].makeIterator()
        }

        /// The next entry.
        public mutating func next() -> (key: Key, value: Value)? {
            while true {
                if let entry = part.next() { return entry }
                guard index < parts.count else { return nil }
                part = parts[index].makeIterator()
                index += 1
            }
        }
    }

    /// Its values.
    public struct Values: Sequence {
        fileprivate let entries: PartedDictionary

        /// Walks over them.
        public func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }

        /// Walks over values.
        public struct Iterator: IteratorProtocol {
            fileprivate var entries: PartedDictionary.Iterator

            /// The next value.
            public mutating func next() -> Value? { entries.next()?.value }
        }
    }

    /// Its keys.
    public struct Keys: Sequence {
        fileprivate let entries: PartedDictionary

        /// Walks over them.
        public func makeIterator() -> Iterator { Iterator(entries: entries.makeIterator()) }

        /// Walks over keys.
        public struct Iterator: IteratorProtocol {
            fileprivate var entries: PartedDictionary.Iterator

            /// The next key.
            public mutating func next() -> Key? { entries.next()?.key }
        }
    }
}
