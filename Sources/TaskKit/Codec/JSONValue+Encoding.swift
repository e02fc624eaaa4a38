// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension JSONValue {
    /// Encodes a value without Foundation; throws what the value itself throws, and
    /// `EncodingError` where a number does not fit.
    init(encoding value: some Encodable) throws {
        self = try JSONSlot.encode(value, codingPath: [])
    }
}

/// Where an encoder leaves its value; containers fill it as they go.
private final class JSONSlot {
    enum Content {
        case value(JSONValue)
        case elements([JSONSlot])
        case members([String: JSONSlot])
    }

    /// An empty object until a container says otherwise: what a struct without members encodes to.
    var content: Content = .members([:])

    var value: JSONValue {
        switch content {
        case .value(let value): value
        case .elements(let slots): .array(slots.map(\.value))
        case .members(let slots): .object(slots.mapValues(\.value))
        }
    }

    func append() -> JSONSlot {
        let slot = JSONSlot()
        guard case .elements(var slots) = content else {
            content = .elements([slot])
            return slot
        }
        content = .value(.null)  // Lets go of the array, so that appending copies nothing.
        slots.append(slot)
        content = .elements(slots)
        return slot
    }

    func member(_ key: String) -> JSONSlot {
        let slot = JSONSlot()
        guard case .members(var slots) = content else {
            content = .members([key: slot])
            return slot
        }
        content = .value(.null)
        slots[key] = slot
        content = .members(slots)
        return slot
    }

    func beginElements() {
        if case .elements = content { return }
        content = .elements([])
    }

    static func encode(
        _ value: some Encodable, codingPath: [any CodingKey]
    ) throws -> JSONValue {
        if let value = value as? JSONValue { return value }
        let slot = JSONSlot()
        try value.encode(to: JSONSlotEncoder(slot: slot, codingPath: codingPath))
        return slot.value
    }
}

private struct JSONSlotEncoder: Encoder {
    let slot: JSONSlot
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONMembers(slot: slot, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        slot.beginElements()
        return JSONElements(slot: slot, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONSingle(slot: slot, codingPath: codingPath)
    }
}

private struct JSONMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let slot: JSONSlot
    let codingPath: [any CodingKey]

    func encodeNil(forKey key: Key) { slot.member(key.stringValue).content = .value(.null) }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        let encoded = try JSONSlot.encode(value, codingPath: codingPath + [key])
        slot.member(key.stringValue).content = .value(encoded)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy _: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        superEncoder(forKey: key).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        superEncoder(forKey: key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        JSONSlotEncoder(slot: slot.member("super"), codingPath: codingPath)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        JSONSlotEncoder(slot: slot.member(key.stringValue), codingPath: codingPath + [key])
    }
}

private struct JSONElements: UnkeyedEncodingContainer {
    let slot: JSONSlot
    let codingPath: [any CodingKey]

    var count: Int {
        guard case .elements(let slots) = slot.content else { return 0 }
        return slots.count
    }

    func encodeNil() { slot.append().content = .value(.null) }

    func encode(_ value: some Encodable) throws {
        slot.append().content = .value(try JSONSlot.encode(value, codingPath: codingPath))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy _: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        superEncoder().container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        superEncoder().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        JSONSlotEncoder(slot: slot.append(), codingPath: codingPath)
    }
}

private struct JSONSingle: SingleValueEncodingContainer {
    let slot: JSONSlot
    let codingPath: [any CodingKey]

    func encodeNil() { slot.content = .value(.null) }
    func encode(_ value: Bool) { slot.content = .value(.bool(value)) }
    func encode(_ value: String) { slot.content = .value(.string(value)) }
    func encode(_ value: Double) { slot.content = .value(.double(value)) }
    func encode(_ value: Float) { slot.content = .value(.double(Double(value))) }
    func encode(_ value: Int) throws { try integer(value) }
    func encode(_ value: Int8) throws { try integer(value) }
    func encode(_ value: Int16) throws { try integer(value) }
    func encode(_ value: Int32) throws { try integer(value) }
    func encode(_ value: Int64) throws { try integer(value) }
    func encode(_ value: UInt) throws { try integer(value) }
    func encode(_ value: UInt8) throws { try integer(value) }
    func encode(_ value: UInt16) throws { try integer(value) }
    func encode(_ value: UInt32) throws { try integer(value) }
    func encode(_ value: UInt64) throws { try integer(value) }

    func encode(_ value: some Encodable) throws {
        slot.content = .value(try JSONSlot.encode(value, codingPath: codingPath))
    }

    private func integer(_ value: some BinaryInteger) throws {
        guard let value = Int(exactly: value) else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: codingPath, debugDescription: "does not fit 64 bits"))
        }
        slot.content = .value(.int(value))
    }
}
