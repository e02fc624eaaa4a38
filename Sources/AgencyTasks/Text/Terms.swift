// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The words of a text as they are counted.
enum Terms {
    /// How many letters and digits a term has: shorter ones say nothing, longer ones are no words.
    static let lengths = 2...64

    /// The runs of letters and digits of a text, in lower case and in the text's order.
    static func split(_ text: String) -> [String] {
        var terms: [String] = []
        var term = String.UnicodeScalarView()
        var length = 0
        for scalar in text.lowercased().unicodeScalars {
            if isPart(scalar, ofTermWith: length) {
                // What is too long is only measured.
                if length <= lengths.upperBound { term.append(scalar) }
                length += 1
            } else if length > 0 {
                if lengths.contains(length) { terms.append(String(term)) }
                term.removeAll(keepingCapacity: true)
                length = 0
            }
        }
        if lengths.contains(length) { terms.append(String(term)) }
        return terms
    }

    private static func isPart(_ scalar: Unicode.Scalar, ofTermWith length: Int) -> Bool {
        if scalar.isASCII {
            return (0x61...0x7A).contains(scalar.value) || (0x30...0x39).contains(scalar.value)
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber:
            return true
        case .nonspacingMark, .spacingMark:
            // Accents written apart, and vowels of many scripts: part of the letter before.
            return length > 0
        default: return false
        }
    }
}
