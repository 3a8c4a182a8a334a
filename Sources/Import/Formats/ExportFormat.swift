internal import Accounting
internal import Problems

/// An export of another program that is read as it is: its headers, words, signs and numbers.
package enum ExportFormat: String, CaseIterable, Sendable {
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

  /// Whether the program groups thousands, whatever it is told.
  var groupsThousands: Bool { self == .portfolioPerformance }

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
  /// Whether its cells are numbers.
  var isNumber = false

  /// The same, of numbers.
  var number: ExportColumn {
    ExportColumn(names: names, isRequired: isRequired, isNumber: true)
  }

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
  /// What the export says of its instrument; empty where it says nothing.
  var multiplier = ""
  /// Whether it stands in the exports of two accounts, so that neither is told by it.
  var isOfTwoAccounts = false
}

/// A row of an export, its cells by the number of the format's column.
struct ExportRow {
  let fields: RowFields
  let columns: [ExportColumn]
  let positions: [Int?]
  /// How numbers, dates and words are written.
  let notation: Notation

  /// Whether the export has a column.
  func has(_ column: Int) -> Bool { positions[column] != nil }

  /// A cell without the space around it; empty where there is no such column.
  func text(_ column: Int) -> String {
    guard let position = positions[column] else { return "" }
    return String(decoding: fields[position], as: UTF8.self).withoutSpaceAround
  }

  /// A number; nil where the cell is empty, which is never zero.
  func optionalNumber<Number: FixedPoint>(
    _ column: Int, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number? {
    guard let cell = bytes(column) else { return nil }
    do throws(DecimalError) {
      return try notation.number(cell)
    } catch {
      var refusal = refuse(column, "'\(text(column))' \(error.refusal)")
      refusal.advice = notation.advice(error, cell)
      throw refusal
    }
  }

  /// A number that must be there.
  func number<Number: FixedPoint>(
    _ column: Int, as type: Number.Type = Number.self
  ) throws(RowRefusal) -> Number {
    guard let number = try optionalNumber(column, as: type) else {
      throw refuse(column, has(column) ? "a value is required" : "the export has no such column")
    }
    return number
  }

  private func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
    guard let cell = positions[column].map({ fields[$0].withoutSpaces }), !cell.isEmpty else {
      return nil
    }
    return cell
  }

  /// A date in one of the ways in which the program writes them, unless the file was said to have
  /// another; a time may stand behind it.
  func day(_ column: Int, _ formats: [DateFormat?]) throws(RowRefusal) -> String {
    guard let cell = bytes(column) else { throw refuse(column, "a value is required") }
    if let day = notation.day(cell, formats: formats) { return day.description }
    let patterns =
      notation.dateFormat.map { [$0.pattern] } ?? formats.map { $0?.pattern ?? "YYYY-MM-DD" }
    var refusal = refuse(
      column,
      "'\(text(column))' is not a date \(patterns.joined(separator: ", ")) "
        + "from \(Day.earliest) to \(Day.latest)")
    refusal.advice = Advice(key: "date", "--date-format says how dates are written here")
    throw refusal
  }

  /// A word in small letters, or the one that it was said to mean.
  func word(_ column: Int) -> String {
    let word = text(column)
    return (notation.meaning(word) ?? word).lowercased()
  }

  /// A refusal of a word that the format does not have.
  func refuse(word column: Int, _ message: String) -> RowRefusal {
    var refusal = refuse(column, "'\(text(column))' \(message)")
    refusal.advice = Advice(
      key: "word \(column)",
      "--word says what another word means: --word \(Action.quoted("\(text(column))=…"))")
    return refusal
  }

  /// A refusal that names the export's own column.
  func refuse(_ column: Int, _ message: String) -> RowRefusal {
    RowRefusal(field: columns[column].names[0], message: message)
  }
}
