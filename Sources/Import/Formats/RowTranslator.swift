internal import Accounting
internal import Problems

/// Turns rows of an export into rows of activities.
struct RowTranslator: Sendable {
  private let format: ExportFormat
  private let columns: [ExportColumn]
  private let positions: [Int?]
  /// How the export's own cells are written.
  let notation: Notation
  private let portfolio: String?
  private let account: String?
  /// How many fields each row must have.
  let fieldCount: Int
  /// The header of the rows that are made.
  let header: Header
  /// The digest after which activities without an id are named.
  var digest: [UInt8] = []

  /// The column in which an account is named.
  private static let accountColumn = "account"

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
    if let column = request.constants.keys.first(where: {
      $0 != "portfolio" && $0 != Self.accountColumn
    }) {
      throw .option(
        "column '\(column)' cannot be set with --format",
        remedy: "only --set portfolio=CODE and --account go with an export")
    }
    self.format = format
    columns = format.columns
    try Self.requireUse(of: request, by: format, names, source: source)
    let ignored = Set(request.ignored.map { ExactText($0.lowercased()) })
    var positions: [Int?] = []
    for column in columns {
      let position = names.firstIndex {
        !ignored.contains(ExactText($0.lowercased()))
          && column.names.contains(request.columnMap[ExactText($0)] ?? $0)
      }
      if position == nil, column.isRequired {
        throw .header(
          source: source, problem: "column '\(column.names[0])' is missing",
          hint: Delimiter.hint(names)
            ?? "an export of \(format.rawValue) has it; the file has "
            + "\(names.joined(separator: ", ")); --map 'Header=\(column.names[0])' reads it under "
            + "another header, --header-line says where the header stands")
      }
      positions.append(position)
    }
    self.positions = positions
    fieldCount = names.count
    notation = Notation(request, groups: format.groupsThousands)
    portfolio = request.constants["portfolio"]
    account = request.constants[Self.accountColumn]
    header = try Header(
      ExportedActivity.columns + (account == nil ? [] : [Self.accountColumn]), map: [:],
      rules: ActivityRows.columns, kind: .activities, source: source)
    if portfolio == nil, format != .interactiveBrokers {
      throw .option(
        "an export of \(format.rawValue) does not say which portfolio it is of",
        remedy: "add --set portfolio=CODE")
    }
  }

  /// Refuses options that would change nothing.
  private static func requireUse(
    of request: ImportRequest, by format: ExportFormat, _ names: [String], source: String
  ) throws(ImportError) {
    let columns = format.columns.flatMap(\.names)
    func refuse(_ problem: String) -> ImportError {
      .header(
        source: source, problem: problem,
        hint: "the file has the columns \(names.joined(separator: ", ")); an export of "
          + "\(format.rawValue) has \(format.columns.map { $0.names[0] }.joined(separator: ", "))")
    }
    for (header, column) in request.columnMap.sorted(by: { $0.key.description < $1.key.description }
    ) {
      guard columns.contains(where: column.isExactly) else {
        throw refuse(
          "'\(header)' is mapped to '\(column)', which is not a column of \(format.rawValue)")
      }
      guard names.contains(where: header.description.isExactly) else {
        throw refuse("no column is headed '\(header)', which is mapped to '\(column)'")
      }
    }
    for header in request.ignored
    where !names.contains(where: { $0.lowercased().isExactly(header.lowercased()) }) {
      throw refuse("no column is headed '\(header)', which is ignored")
    }
    guard !request.restate else {
      throw .option(
        "--restate does not go with --format: activities have no terms", remedy: "do without it")
    }
  }

  /// The fields that hold numbers, by the names of their columns.
  var numberFields: [(field: Int, name: String)] {
    zip(columns, positions).compactMap { column, position in
      position.flatMap { column.isNumber ? ($0, column.names[0]) : nil }
    }
  }

  /// Whether the export's rows have ids of their own.
  var hasIDs: Bool { zip(columns, positions).contains { $0.names[0] == "TradeID" && $1 != nil } }

  /// The activities of a row, one after the other.
  func forEach(
    _ fields: RowFields, number: Int, _ body: (Cells) throws(RowRefusal) -> Void
  ) throws(RowRefusal) {
    let row = ExportRow(
      fields: fields, columns: columns, positions: positions, notation: notation)
    for activity in try format.activities(row) {
      let name = activity.id == nil ? "file:\(hexadecimal(digest.prefix(16)))/\(number)" : ""
      let told = account.map { [activity.isOfTwoAccounts ? "" : $0] } ?? []
      try Cells.reading(activity.cells(portfolio: portfolio, name: name) + told, header, body)
    }
  }
}
