// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Words for a shell, so that hints can be typed as they are printed.
enum ShellWord {
    private static let plain = Set("_./:=@%+,-".utf8)

    /// The word as a POSIX shell reads it back; in quotes only where it needs them.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                || (0x61...0x7A).contains($0) || plain.contains($0)
        }
        guard !isPlain || word.isEmpty else { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
