internal import Accounting

/// Ghostfolio: the CSV file of activities that its import takes, and that converters for it write.
///
/// A dividend's and an interest's amount is price × quantity, a fee's stands in its own column.
enum Ghostfolio {
  static let columns: [ExportColumn] = [
    .required("Date", "date"), .required("Code", "Symbol", "Ticker"),
    .required("Currency", "currency"), .required("Price", "UnitPrice"),
    .required("Quantity", "quantity"), .required("Action", "Type", "type"),
    .required("Fee", "fee"), .optional("Note", "Comment"),
  ]
  private static let (date, symbol, currency, price) = (0, 1, 2, 3)
  private static let (quantity, action, fee, note) = (4, 5, 6, 7)

  static func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    let word = row.text(action)
    let type = word.lowercased()
    var activity = ExportedActivity(
      date: try day(row), type: type, symbol: row.text(symbol),
      currency: row.text(currency), note: row.text(note))
    let cost = try row.number(fee, as: Money.self)
    let count = try row.number(quantity, as: Quantity.self)
    let each = try row.number(price, as: Price.self)
    activity.fee = cost == .zero ? "" : cost.description
    switch type {
    case "buy", "sell":
      activity.quantity = count.text(minimumDecimals: 0)
      activity.price = each.text(minimumDecimals: 0)
    case "dividend":
      activity.amount = try amount(count, each, row)
    case "interest":
      activity.symbol = ""
      activity.amount = try amount(count, each, row)
    case "fee":
      // Ghostfolio names what the fee is for where a symbol would stand.
      activity.note = activity.note.isEmpty ? activity.symbol : activity.note
      activity.symbol = ""
      activity.amount = cost.description
      activity.fee = ""
    default:
      throw row.refuse(
        action, "'\(word)' is none of: buy sell dividend interest fee; enter it by hand")
    }
    return [activity]
  }

  private static func amount(
    _ count: Quantity, _ each: Price, _ row: ExportRow
  ) throws(RowRefusal) -> String {
    guard let amount = try? localValue(count, at: each, multiplier: .one) else {
      throw row.refuse(price, "price × quantity is out of range")
    }
    return amount.description
  }

  /// The ways in which Ghostfolio reads dates.
  private static let patterns = ["YYYYMMDD", "DD-MM-YYYY", "DD/MM/YYYY", "DD.MM.YYYY"]
    .compactMap(DateFormat.init)

  private static func day(_ row: ExportRow) throws(RowRefusal) -> String {
    let text = String(row.text(date).prefix { $0 != "T" })
    if Day(text) != nil { return text }
    var copy = text
    let found = copy.withUTF8 { cell in
      let bytes = UnsafeBufferPointer(rebasing: cell[...])
      return patterns.lazy.compactMap { $0.day(bytes) }.first
    }
    guard let found else {
      throw row.refuse(date, "'\(text)' is not a date such as 2021-09-16 or 16-09-2021")
    }
    return found.description
  }
}
