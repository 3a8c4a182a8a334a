internal import Accounting
internal import Problems

/// An export of another program that is read as it is: its headers, words, signs and numbers.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// Transactions of Portfolio Performance.
  case portfolioPerformance = "portfolio-performance"
  /// The trades section of a Flex query of Interactive Brokers.
  case interactiveBrokers = "interactive-brokers"
  /// Activities of Ghostfolio, as its import takes them.
  case ghostfolio

  /// The columns that are read, by any of their names; others are passed over.
  var columns: [ExportColumn] {
    switch self {
    case .portfolioPerformance: PortfolioPerformance.columns
    case .interactiveBrokers: InteractiveBrokers.columns
    case .ghostfolio: Ghostfolio.columns
    }
  }

  /// What a row of the export says happened: nothing is guessed, what is not known is refused.
  func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    switch self {
    case .portfolioPerformance: try PortfolioPerformance.activities(row)
    case .interactiveBrokers: try InteractiveBrokers.activities(row)
    case .ghostfolio: try Ghostfolio.activities(row)
    }
  }
}

/// A column of an export.
struct ExportColumn: Sendable {
  /// Its header in each language or version; the first is the one that messages name.
  let names: [String]
  let isRequired: Bool

  static func required(_ names: String...) -> ExportColumn {
    ExportColumn(names: names, isRequired: true)
  }

  static func optional(_ names: String...) -> ExportColumn {
    ExportColumn(names: names, isRequired: false)
  }
}

/// An activity that a row of an export means; cells as a file of activities has them.
struct ExportedActivity: Sendable, Equatable {
  /// The source's own id; nil where the export has none.
  var id: String?
  /// Sets apart the second and third activity of one row.
  var part = ""
  /// nil where it is set for the whole file.
  var portfolio: String?
  var date: String
  var type: String
  var symbol = ""
  var quantity = ""
  var price = ""
  var amount = ""
  var fee = ""
  var currency = ""
  var note = ""
}

/// A row of an export, its cells by the number of the format's column.
struct ExportRow {
  let fields: RowFields
  let columns: [ExportColumn]
  let positions: [Int?]
  /// Whether numbers are written as `1.234,56`, and not as `1,234.56`.
  let decimalComma: Bool

  /// A cell without the space around it; empty where there is no such column.
  func text(_ column: Int) -> String {
    guard let position = positions[column] else { return "" }
    let text = String(decoding: fields[position], as: UTF8.self)
    return String(
      text.trimmingPrefix(while: \.isWhitespace).reversed()
        .trimmingPrefix(while: \.isWhitespace).reversed())
  }

  /// A number; zero where the cell is empty.
  func number<Number: FixedPoint>(
    _ column: Int, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number {
    let text = text(column)
    if text.isEmpty { return .zero }
    let (point, group) = decimalComma ? (UInt8(ascii: ","), UInt8(ascii: ".")) : (46, 44)
    do throws(DecimalError) {
      return try Number(decimal: try Cells.plain(text.utf8, point: point, group: group))
    } catch {
      throw refuse(column, "'\(text)' \(error.refusal)")
    }
  }

  /// A refusal that names the export's own column.
  func refuse(_ column: Int, _ message: String) -> RowRefusal {
    RowRefusal(field: columns[column].names[0], message: message)
  }
}

/// Turns rows of an export into rows of activities.
struct RowTranslator: Sendable {
  private let format: ExportFormat
  private let columns: [ExportColumn]
  private let positions: [Int?]
  private let decimalComma: Bool
  private let portfolio: String?
  /// How many fields each row must have.
  let fieldCount: Int
  /// The header of the rows that are made.
  let header: Header
  /// The digest after which activities without an id are named.
  var digest: [UInt8] = []

  /// The columns that every translated row has.
  private static let made = [
    "id", "portfolio", "date", "type", "symbol", "quantity", "price", "amount", "fee", "currency",
    "note",
  ]

  /// Finds the columns of an export.
  ///
  /// - Throws: `ImportError` where one is missing, or the kind is not activities.
  init(
    _ format: ExportFormat, _ names: [String], _ request: ImportRequest, source: String
  ) throws(ImportError) {
    guard request.kind == .activities else {
      throw .option(
        "an export of \(format.rawValue) holds activities, not \(request.kind.rawValue)",
        remedy: Remedy(
          .importFile(kind: "activities", source: source, format: format.rawValue)))
    }
    if let column = request.constants.keys.first(where: { $0 != "portfolio" }) {
      throw .option(
        "column '\(column)' cannot be set with --format",
        remedy: "only --set portfolio=CODE goes with an export")
    }
    self.format = format
    columns = format.columns
    var positions: [Int?] = []
    for column in columns {
      let position = names.firstIndex {
        column.names.contains(request.columnMap[ExactText($0)] ?? $0)
      }
      if position == nil, column.isRequired {
        throw .header(
          source: source, problem: "column '\(column.names[0])' is missing",
          hint:
            "an export of \(format.rawValue) has it; the file has \(names.joined(separator: ", "))"
        )
      }
      positions.append(position)
    }
    self.positions = positions
    fieldCount = names.count
    decimalComma = request.decimalComma
    portfolio = request.constants["portfolio"]
    header = try Header(
      Self.made, map: [:], rules: ActivityRows.columns, kind: .activities, source: source)
    if portfolio == nil, format != .interactiveBrokers {
      throw .option(
        "an export of \(format.rawValue) does not say which portfolio it is of",
        remedy: "add --set portfolio=CODE")
    }
  }

  /// Whether the export's rows have ids of their own.
  var hasIDs: Bool { zip(columns, positions).contains { $0.names[0] == "TradeID" && $1 != nil } }

  /// The activities of a row, one after the other.
  func forEach(
    _ fields: RowFields, number: Int, _ body: (Cells) throws(RowRefusal) -> Void
  ) throws(RowRefusal) {
    let row = ExportRow(
      fields: fields, columns: columns, positions: positions, decimalComma: decimalComma)
    for activity in try format.activities(row) {
      let id = activity.id ?? "file:\(hexadecimal(digest.prefix(16)))/\(number)"
      try withCells(
        [
          id + activity.part, portfolio ?? activity.portfolio ?? "", activity.date, activity.type,
          activity.symbol, activity.quantity, activity.price, activity.amount, activity.fee,
          activity.currency, activity.note,
        ], body)
    }
  }

  private func withCells(
    _ texts: [String], _ body: (Cells) throws(RowRefusal) -> Void
  ) throws(RowRefusal) {
    var bytes: [UInt8] = []
    var fields: [RowScan.Field] = []
    for text in texts {
      let start = bytes.count
      bytes.append(contentsOf: text.utf8)
      fields.append(RowScan.Field(start: start, end: bytes.count, isInScratch: true))
    }
    let result: Result<Void, RowRefusal> = bytes.withUnsafeBufferPointer { bytes in
      fields.withUnsafeBufferPointer { fields in
        do throws(RowRefusal) {
          let row = RowFields(bytes: bytes, scratch: bytes, fields: fields)
          return .success(try body(Cells(fields: row, header: header)))
        } catch {
          return .failure(error)
        }
      }
    }
    try result.get()
  }
}
