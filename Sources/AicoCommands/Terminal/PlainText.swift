// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Text as a terminal shows it.
enum PlainText {
    /// Writes what could steer a terminal or turn text around as visible escapes.
    ///
    /// Task output is hostile until shown otherwise: an escape sequence could hide or forge lines.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: steers) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if steers(scalar) {
                result.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// How many columns a text takes.
    static func width(_ text: String) -> Int {
        var width = 0
        for character in text {
            guard let first = character.unicodeScalars.first else { continue }
            width += columns(first)
        }
        return width
    }

    /// Cuts a text to a width, the last column an ellipsis where something is lost.
    static func cut(_ text: String, to width: Int) -> String {
        guard self.width(text) > width else { return text }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            let next = self.width(String(character))
            guard used + next <= width - 1 else { break }
            result.append(character)
            used += next
        }
        while result.last == " " { result.removeLast() }
        return result + "…"
    }

    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E,
            0x2066...0x2069:
            true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\t": return "    "
        case "\n": return "\\n"
        case "\r": return "\\r"
        default:
            let digits = String(scalar.value, radix: 16)
            guard scalar.value > 0xFF else {
                return "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
            return "\\u{\(digits)}"
        }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x0300...0x036F, 0x200B...0x200D, 0xFE00...0xFE0F: 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}
