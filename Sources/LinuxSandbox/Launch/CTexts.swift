// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// C strings that live as long as this.
final class CTexts {
    private var texts: [UnsafeMutablePointer<CChar>] = []

    /// Copies a text.
    func add(_ text: String) -> UnsafePointer<CChar>? { copy(text).map { UnsafePointer($0) } }

    /// Copies texts to a vector that ends with NULL, as exec takes it.
    func vector(_ words: [String]) -> [UnsafeMutablePointer<CChar>?] {
        words.map { copy($0) } + [nil]
    }

    private func copy(_ text: String) -> UnsafeMutablePointer<CChar>? {
        guard let copy = strdup(text) else { return nil }
        texts.append(copy)
        return copy
    }

    deinit { for text in texts { free(text) } }
}
