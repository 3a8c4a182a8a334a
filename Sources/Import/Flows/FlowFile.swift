internal import Accounting

/// A CSV file of dated amounts, of one series or of many, for rates that no book is kept of.
///
/// Columns: `date`, `amount` and, for many, `series`. Rows of a series need not stand together nor
/// in the order of dates. A rate of flows of which some are missing is wrong: a series of which a
/// row is refused is left out, and where nobody can tell whose a refused row is, all are.
package struct FlowFile: Sendable {
  /// The path, or `-`.
  package let source: String
  /// Whether the file has the column `series`.
  package let hasNames: Bool
  /// The names of the series in the order of their first rows; one, empty, without the column.
  package private(set) var names: [String] = []
  /// Day numbers since 2000-01-01, series after series, each in the order of the file.
  package private(set) var days: [Int32] = []
  /// The amount of each row.
  package private(set) var amounts: [Double] = []
  /// Where each series starts in `days` and `amounts`, and at the end their count.
  package private(set) var offsets: [Int] = []
  /// The first refused rows.
  package private(set) var refusedRows: [RefusedRow] = []
  /// How many rows were refused.
  package private(set) var refused = 0
  /// The series that are left out for want of a row, in the order of their first rows.
  package private(set) var leftOut: [String] = []
  /// Whether a refused row may be of any series, so that all are left out.
  private(set) var mayLackAny = false
  /// What would help refused rows, each once.
  package private(set) var hints: [String] = []

  /// So many refused rows are kept.
  private static let keptCount = 20

  private enum Column {
    static let date = 0
    static let amount = 1
    static let series = 2
  }

  private static let columns: [ColumnRule] = [
    .required("date"), .required("amount").number, .optional("series"),
  ]

  /// Reads a file to its end.
  ///
  /// - Throws: `ImportError` where it cannot be read, has no row, or another header.
  package init(_ source: ImportSource) throws(ImportError) {
    try self.init(ImportRequest(kind: .activities, source: source))
  }

  /// Reads a file that is written as a request says; nothing else of the request counts.
  ///
  /// - Throws: `ImportError` as above, and where a number speaks against what was said.
  package init(_ request: ImportRequest) throws(ImportError) {
    var reader = CSVReader(try ByteSource(request.source), delimiter: request.delimiter)
    self.source = reader.source.name
    var header = try Header(
      try reader.headerNames(onLine: request.headerLine), map: request.columnMap,
      rules: Self.columns, of: "flows", source: self.source, ignored: request.ignored)
    header.notation = Notation(request)
    let passedOver = PassedOverRows(request.passedOver)
    if !header.notation.isPlain {
      try NotationJudge(header.notation, header.numberFields, header.fieldCount, request)
        .judge(&reader, passedOver)
    }
    hasNames = header.has(Column.series)
    var owners: [Int32] = []
    var lookup = SeriesLookup()
    var incomplete: Set<Int32> = []
    var number = 0
    while try reader.next() {
      number += 1
      if passedOver.contains(reader) { continue }
      do throws(RowRefusal) {
        let row = try Self.row(reader, header)
        owners.append(lookup.index(of: row.name))
        days.append(row.day)
        amounts.append(row.amount)
      } catch {
        refuse(error, number, reader)
        if let name = Self.name(reader, header) {
          incomplete.insert(lookup.index(of: name))
        } else {
          mayLackAny = true
        }
      }
    }
    guard number > 0 else { throw .noRows(source: self.source) }
    names = lookup.names
    if mayLackAny { incomplete = Set(names.indices.map(Int32.init)) }
    leaveOut(incomplete, &owners)
    group(owners)
  }

  /// Whose a refused row is; nil where that cannot be told.
  private static func name(_ reader: CSVReader, _ header: Header) -> String? {
    guard header.has(Column.series), reader.problem == nil else { return nil }
    return reader.withRow { fields in
      guard fields.count == header.fieldCount else { return nil }
      return try? Cells(fields: fields, header: header).requiredText(
        Column.series, limit: Cells.nameLimit)
    }
  }

  /// Takes the rows of these series out, and their names.
  private mutating func leaveOut(_ incomplete: Set<Int32>, _ owners: inout [Int32]) {
    guard !incomplete.isEmpty else { return }
    leftOut = names.indices.filter { incomplete.contains(Int32($0)) }.map { names[$0] }
    var places = [Int32](repeating: -1, count: names.count)
    var kept: [String] = []
    for index in names.indices where !incomplete.contains(Int32(index)) {
      places[index] = Int32(kept.count)
      kept.append(names[index])
    }
    names = kept
    let rows = owners.indices.filter { places[Int(owners[$0])] >= 0 }
    days = rows.map { days[$0] }
    amounts = rows.map { amounts[$0] }
    owners = rows.map { places[Int(owners[$0])] }
  }

  private struct Row {
    var name: String
    var day: Int32
    var amount: Double
  }

  private static func row(_ reader: CSVReader, _ header: Header) throws(RowRefusal) -> Row {
    if let problem = reader.problem {
      throw RowRefusal(
        field: problem.field.flatMap { header.name(ofField: $0) }, message: problem.message)
    }
    let result: Result<Row, RowRefusal> = reader.withRow { fields in
      do throws(RowRefusal) {
        guard fields.count == header.fieldCount else {
          let count = fields.count == 1 ? "1 field" : "\(fields.count) fields"
          throw RowRefusal(
            field: nil, message: "the row has \(count), the header has \(header.fieldCount)")
        }
        let cells = Cells(fields: fields, header: header)
        let name =
          header.has(Column.series)
          ? try cells.requiredText(Column.series, limit: Cells.nameLimit) : ""
        return .success(
          Row(
            name: name, day: try cells.requiredDay(Column.date).number,
            amount: try cells.requiredAmount(Column.amount)))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private mutating func refuse(_ refusal: RowRefusal, _ number: Int, _ reader: CSVReader) {
    refused += 1
    if let advice = refusal.advice?.text, !hints.contains(advice), hints.count < Self.keptCount {
      hints.append(advice)
    }
    guard refusedRows.count < Self.keptCount else { return }
    refusedRows.append(
      RefusedRow(
        row: number, line: reader.line, field: refusal.field, message: refusal.message,
        text: String(decoding: reader.rowText.prefix(1_000), as: UTF8.self)))
  }

  /// Puts the rows of each series together, in their order (a counting sort).
  private mutating func group(_ owners: [Int32]) {
    offsets = Array(repeating: 0, count: names.count + 1)
    for owner in owners { offsets[Int(owner) + 1] += 1 }
    for index in names.indices { offsets[index + 1] += offsets[index] }
    guard names.count > 1 else { return }
    var next = offsets
    var sortedDays = days
    var sortedAmounts = amounts
    for (row, owner) in owners.enumerated() {
      let place = next[Int(owner)]
      next[Int(owner)] += 1
      sortedDays[place] = days[row]
      sortedAmounts[place] = amounts[row]
    }
    days = sortedDays
    amounts = sortedAmounts
  }
}

/// The numbers of series by name; rows of one series often stand together.
private struct SeriesLookup {
  private(set) var names: [String] = []
  private var indices: [ExactText: Int32] = [:]
  private var last: (name: String, index: Int32)?

  mutating func index(of name: String) -> Int32 {
    if let last, last.name.isExactly(name) { return last.index }
    let index = indices[ExactText(name), default: Int32(names.count)]
    if Int(index) == names.count {
      names.append(name)
      indices[ExactText(name)] = index
    }
    last = (name, index)
    return index
  }
}

extension Cells {
  /// The limit, exclusive, on the magnitude of an amount that only rates are made of.
  private static var amountLimit: Double { 1e300 }

  /// A decimal of any number of places as the nearest double; nothing but rates is made of it.
  func requiredAmount(_ column: Int) throws(RowRefusal) -> Double {
    guard let cell = bytes(column) else { throw refuse(column, "a value is required") }
    if header.notation.isPlain, let amount = Self.plainAmount(cell) { return amount }
    let value: Double
    do throws(DecimalError) {
      value = try header.notation.approximate(cell)
    } catch {
      var refusal = refuse(quoting: column, error.refusal)
      refusal.advice = header.notation.advice(error, cell)
      throw refusal
    }
    guard abs(value) < Self.amountLimit else {
      throw refuse(quoting: column, "is out of range: the magnitude must be below 10^300")
    }
    return value
  }

  /// A plain decimal of few digits; nil for every other.
  private static func plainAmount(_ cell: UnsafeBufferPointer<UInt8>) -> Double? {
    var digits: UInt64 = 0
    var (digitCount, decimals) = (0, -1)
    for (index, byte) in cell.enumerated() {
      switch byte {
      case UInt8(ascii: "-") where index == 0, UInt8(ascii: "+") where index == 0: break
      case UInt8(ascii: ".") where decimals < 0: decimals = 0
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digitCount += 1
        digits = digits &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
        if decimals >= 0 { decimals += 1 }
      default: return nil
      }
    }
    // A whole number below 2^53 over a power of ten up to 10^22: both exact, so one rounding.
    guard digitCount > 0, digitCount <= 19, digits < 1 << 53, decimals <= 19 else { return nil }
    let magnitude = Double(digits) / Double(powerOfTen(max(decimals, 0)))
    return cell[0] == UInt8(ascii: "-") ? -magnitude : magnitude
  }
}
