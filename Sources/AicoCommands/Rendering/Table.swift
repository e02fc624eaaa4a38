// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// A table that fits the terminal; all lists are shown by it.
struct Table {
    /// A column's title and how it behaves where room is short.
    struct Column {
        let title: String
        /// Whether cells stand at the right edge.
        var isRight = false
        /// The least width; the column never shrinks without one.
        var minimum: Int?
        /// Columns with the lowest rank are left out first; nil stays.
        var rank: Int?
    }

    /// A cell.
    struct Cell: ExpressibleByStringInterpolation {
        let text: PlainText
        var style = Style.plain

        init(_ text: String, _ style: Style = .plain) {
            self.init(plain: PlainText(text), style)
        }

        init(plain text: PlainText, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    private static let gap = 2

    private(set) var columns: [Column]
    var rows: [[Cell]] = []
    /// Whether the titles are shown.
    var hasHeading = true

    init(_ columns: [Column], rows: [[Cell]] = []) {
        self.columns = columns
        self.rows = rows
    }

    /// Gives the table's lines, each at most `width` columns where the columns can shrink to that.
    func text(width: Int?, coloured: Bool) -> PlainText {
        let (shown, widths) = layout(width: width)
        var result: PlainText = ""
        if hasHeading {
            let titles = columns.map { Cell($0.title, .heading) }
            result = line(titles, shown, widths, coloured: coloured)
        }
        for row in rows { result += line(row, shown, widths, coloured: coloured) }
        return result
    }

    /// The table without a column.
    func dropping(column index: Int) -> Table {
        var table = self
        table.columns.remove(at: index)
        for row in table.rows.indices where index < table.rows[row].count {
            table.rows[row].remove(at: index)
        }
        return table
    }

    private func line(
        _ cells: [Cell], _ shown: [Int], _ widths: [Int], coloured: Bool
    ) -> PlainText {
        var result: PlainText = ""
        var owed = 0
        for (position, index) in shown.enumerated() {
            let cell = index < cells.count ? cells[index] : Cell("")
            let text = cell.text.cut(to: widths[position])
            let rest = widths[position] - text.width
            if columns[index].isRight { owed += rest }
            // Padding is written before the next text only, so that no line ends in spaces.
            if !text.isEmpty {
                result += .spaces(owed)
                result += cell.style.paint(text, coloured: coloured)
                owed = 0
            }
            owed += (columns[index].isRight ? 0 : rest) + Self.gap
        }
        return result + "\n"
    }

    /// Chooses the columns that are shown and their widths.
    private func layout(width: Int?) -> (shown: [Int], widths: [Int]) {
        let natural = columns.indices.map { index in
            rows.reduce(PlainText(columns[index].title).width) { widest, row in
                max(widest, index < row.count ? row[index].text.width : 0)
            }
        }
        var shown = Array(columns.indices)
        guard let width else { return (shown, natural) }
        while true {
            var widths = shown.map { natural[$0] }
            var excess = widths.reduce(0, +) + Self.gap * (shown.count - 1) - width
            while excess > 0, let widest = widestShrinkable(shown, widths) {
                widths[widest] -= 1
                excess -= 1
            }
            guard excess > 0, let victim = leastRank(shown) else { return (shown, widths) }
            shown.remove(at: victim)
        }
    }

    private func widestShrinkable(_ shown: [Int], _ widths: [Int]) -> Int? {
        var found: Int?
        for (position, index) in shown.enumerated() {
            guard let minimum = columns[index].minimum, widths[position] > minimum else { continue }
            if widths[position] > found.map({ widths[$0] }) ?? 0 { found = position }
        }
        return found
    }

    private func leastRank(_ shown: [Int]) -> Int? {
        shown.indices
            .filter { columns[shown[$0]].rank != nil }
            .min { (columns[shown[$0]].rank ?? 0) < (columns[shown[$1]].rank ?? 0) }
    }
}
