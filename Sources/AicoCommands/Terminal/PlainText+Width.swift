// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

extension PlainText {
    /// How many columns it takes.
    var width: Int { text.reduce(0) { $0 + Self.width(of: $1) } }

    /// Cuts it to a width, the last column an ellipsis where something is lost.
    func cut(to width: Int) -> PlainText {
        guard self.width > width else { return self }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            let next = Self.width(of: character)
            guard used + next <= width - 1 else { break }
            result.append(character)
            used += next
        }
        while result.last == " " { result.removeLast() }
        // Escaped once more nothing changes: what was escaped has nothing left that steers.
        return PlainText(result) + "…"
    }

    private static func width(of character: Character) -> Int {
        character.unicodeScalars.first.map(columns) ?? 0
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
