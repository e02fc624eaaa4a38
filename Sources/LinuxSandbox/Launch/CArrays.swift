// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// C arrays that live as long as this.
final class CArrays {
    private var arrays: [UnsafeMutableRawPointer] = []

    /// Copies values; nil where there are none.
    func add<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafePointer<Value>? {
        guard !values.isEmpty,
            let copy = malloc(values.count * MemoryLayout<Value>.stride)
        else { return nil }
        arrays.append(copy)
        let elements = copy.bindMemory(to: Value.self, capacity: values.count)
        elements.initialize(from: values, count: values.count)
        return UnsafePointer(elements)
    }

    deinit { for array in arrays { free(array) } }
}
