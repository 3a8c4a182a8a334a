internal import Accounting

/// Ghostfolio: the CSV file of activities that its import takes, and that converters for it write.
///
/// A dividend's and an interest's amount is price × quantity, a fee's stands in its own column.
enum Ghostfolio {
  static let columns: [ExportColumn] = [
    .required("Date", "date"), .required("Code", "Symbol", "Ticker"),
    .required("Currency", "currency"), .required("Price", "UnitPrice").number,
    .required("Quantity", "quantity").number, .required("Action", "Type", "type"),
    .required("Fee", "fee").number, .optional("Note", "Comment"),
  ]
  private static let (date, symbol, currency, price) = (0, 1, 2, 3)
  private static let (quantity, action, fee, note) = (4, 5, 6, 7)

  static func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    let type = row.word(action)
    var activity = ExportedActivity(
      date: try row.day(date, patterns), type: type, symbol: row.text(symbol),
      currency: row.text(currency), note: row.text(note))
    let cost = try row.optionalNumber(fee, as: Money.self) ?? .zero
    activity.fee = cost == .zero ? "" : cost.description
    switch type {
    case "buy", "sell":
      activity.quantity = try row.number(quantity, as: Quantity.self).text(minimumDecimals: 0)
      activity.price = try row.number(price, as: Price.self).text(minimumDecimals: 0)
    case "dividend":
      activity.amount = try amount(row).description
    case "interest":
      activity.symbol = ""
      activity.amount = try amount(row).description
    case "fee":
      // Ghostfolio names what the fee is for where a symbol would stand.
      activity.note = activity.note.isEmpty ? activity.symbol : activity.note
      activity.symbol = ""
      activity.amount = try charge(row, cost).description
      activity.fee = ""
    default:
      throw row.refuse(
        word: action, "is none of: buy sell dividend interest fee; enter it by hand")
    }
    return [activity]
  }

  /// What a fee is: its own column says so, unless price × quantity says something else.
  private static func charge(_ row: ExportRow, _ cost: Money) throws(RowRefusal) -> Money {
    let hasProduct = !row.text(price).isEmpty && !row.text(quantity).isEmpty
    let product = hasProduct ? try amount(row) : .zero
    guard product == .zero || product == cost else {
      throw row.refuse(
        fee, "price × quantity is \(product), the fee \(cost): the one or the other is the amount")
    }
    guard cost != .zero else { throw row.refuse(fee, "a fee needs a value here") }
    return cost
  }

  private static func amount(_ row: ExportRow) throws(RowRefusal) -> Money {
    let each = try row.number(price, as: Price.self)
    let count = try row.number(quantity, as: Quantity.self)
    guard let amount = try? localValue(count, at: each, multiplier: .one) else {
      throw row.refuse(price, "price × quantity is out of range")
    }
    return amount
  }

  /// The ways in which Ghostfolio reads dates.
  private static let patterns =
    [nil] + ["YYYYMMDD", "DD-MM-YYYY", "DD/MM/YYYY", "DD.MM.YYYY"].map { DateFormat($0) }
}
