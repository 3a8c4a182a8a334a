/// A table for a reader: columns as wide as their widest cell, numbers to the right.
struct TextTable {
  /// Where a column's cells stand.
  enum Alignment {
    case left, right
  }

  private var columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a cell for every column")
    rows.append(cells)
  }

  /// The lines, with a rule under the titles.
  var text: String {
    let widths = columns.indices.map { column in
      rows.reduce(columns[column].title.count) { max($0, $1[column].count) }
    }
    var lines = [line(columns.map(\.title), widths)]
    lines.append(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
    lines += rows.map { line($0, widths) }
    return lines.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: widths[column] - cell.count)
      if column > 0 { text += "  " }
      text += columns[column].alignment == .left ? cell + padding : padding + cell
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// Numbers as people read them; the exact ones are in `--json` and in the tables.
enum Readable {
  /// An amount with two decimal places and grouped thousands.
  static func money(_ units: Int128) -> String {
    let cents = (units.magnitude + 50) / 100
    let whole = String(cents / 100)
    let fraction = String(cents % 100)
    var grouped = ""
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index).isMultiple(of: 3) { grouped += "," }
      grouped.append(digit)
    }
    let isNegative = units < 0 && cents > 0
    return (isNegative ? "-" : "") + grouped + "." + (fraction.count < 2 ? "0" : "") + fraction
  }

  /// A fraction as per cent with two decimal places, or a dash.
  static func percent(_ fraction: Double?) -> String {
    guard let fraction else { return "–" }
    let hundredths = (fraction * 10_000).rounded()
    guard abs(hundredths) < 1e15 else { return "\(fraction * 100)%" }
    return money(Int128(hundredths) * 100) + "%"
  }

  /// Seconds with two decimal places.
  static func seconds(_ value: Double) -> String {
    let hundredths = Int(value * 100 + 0.5)
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
  }
}
