// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Finds the candidate that a mistyped word most likely meant.
///
/// Nothing is near that needs more than a third of the word's length in edits.
package func nearestWord(to word: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(2, word.count / 3)
    let ranked = candidates.map { (distance: editDistance(word, $0), word: $0) }
    let best = ranked.min { ($0.distance, $0.word) < ($1.distance, $1.word) }
    guard let best, best.distance <= limit else { return nil }
    return best.word
}

/// Counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8.prefix(64))
    let right = Array(right.utf8.prefix(64))
    var older: [Int] = []
    var previous = Array(0...right.count)
    for (row, leftByte) in left.enumerated() {
        var current = [row + 1]
        for (column, rightByte) in right.enumerated() {
            let same = leftByte == rightByte
            var best = min(
                previous[column] + (same ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
            let swapped =
                row > 0 && column > 0 && leftByte == right[column - 1]
                && left[row - 1] == rightByte
            if swapped { best = min(best, older[column - 1] + 1) }
            current.append(best)
        }
        older = previous
        previous = current
    }
    return previous[right.count]
}
