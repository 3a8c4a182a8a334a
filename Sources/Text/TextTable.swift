/// A table for a reader: columns as wide as their widest cell, numbers to the right.
///
/// A cell is shown on one line, with whatever a terminal would obey written out.
package struct TextTable {
  /// Where a column's cells stand.
  package enum Alignment {
    case left, right
  }

  private var columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  /// A table of these columns and no rows.
  package init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

  /// Adds a row, a cell for every column.
  package mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a cell for every column")
    rows.append(cells.map(\.shown))
  }

  /// The lines, with a rule under the titles.
  package var lines: [String] {
    let widths = columns.indices.map { column in
      rows.reduce(columns[column].title.displayWidth) { max($0, $1[column].displayWidth) }
    }
    var lines = [line(columns.map(\.title), widths)]
    lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
    return lines + rows.map { line($0, widths) }
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: widths[column] - cell.displayWidth)
      if column > 0 { text += "  " }
      text += columns[column].alignment == .left ? cell + padding : padding + cell
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}
