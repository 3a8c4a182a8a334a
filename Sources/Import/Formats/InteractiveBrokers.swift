internal import Accounting

/// Interactive Brokers: the Trades section of an Activity Flex query as CSV, level Execution.
///
/// Quantities and commissions are signed: a sale's quantity is negative, and so is a commission
/// that was paid.
enum InteractiveBrokers {
  static let columns: [ExportColumn] = [
    .required("ClientAccountID"), .required("CurrencyPrimary"), .required("AssetClass"),
    .required("Symbol"), .required("TradeID", "IBExecID", "TransactionID"),
    .required("TradeDate"), .required("Quantity").number, .required("TradePrice").number,
    .required("IBCommission").number, .required("IBCommissionCurrency"),
    .optional("Taxes").number, .required("Buy/Sell"), .optional("LevelOfDetail"),
    .optional("Description"), .optional("Multiplier").number,
  ]
  private static let (account, currency, assetClass, symbol, id) = (0, 1, 2, 3, 4)
  private static let (date, quantity, price, commission, commissionCurrency) = (5, 6, 7, 8, 9)
  private static let (taxes, side, level, description, multiplier) = (10, 11, 12, 13, 14)

  static func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    let detail = row.text(level)
    guard detail.isEmpty || detail == "EXECUTION" else {
      throw row.refuse(level, "'\(detail)' repeats executions: export the level EXECUTION only")
    }
    guard row.text(assetClass) != "CASH" else {
      throw row.refuse(
        assetClass, "an exchange of currencies: enter it as exchange_out and exchange_in")
    }
    let type = row.word(side)
    guard type == "buy" || type == "sell" else {
      throw row.refuse(word: side, "is neither BUY nor SELL")
    }
    let count = try row.number(quantity, as: Quantity.self)
    guard count != .zero, (count < .zero) == (type == "sell") else {
      throw row.refuse(quantity, "'\(row.text(quantity))' does not fit a \(row.text(side))")
    }
    guard !row.text(id).isEmpty else { throw row.refuse(id, "a value is required") }
    var trade = ExportedActivity(
      id: row.text(id), portfolio: row.text(account), date: try row.day(date, dates), type: type,
      symbol: row.text(symbol).filter { !$0.isWhitespace },
      quantity: Quantity(units: abs(count.units)).text(minimumDecimals: 0),
      price: try row.number(price, as: Price.self).text(minimumDecimals: 0),
      currency: row.text(currency), note: row.text(description),
      multiplier: try statedMultiplier(row))
    let paid = try cost(row, commission)
    let paidIn = row.text(commissionCurrency)
    var all: [ExportedActivity] = []
    func companion(_ part: String, _ type: String, _ amount: Money, _ currency: String) {
      all.append(
        ExportedActivity(
          id: trade.id, part: part, portfolio: trade.portfolio, date: trade.date, type: type,
          symbol: trade.symbol, amount: amount.description, currency: currency))
    }
    if paid >= .zero, paidIn == trade.currency || paidIn.isEmpty {
      trade.fee = paid == .zero ? "" : paid.description
    } else {
      // A rebate, or a commission in another currency than the trade's.
      companion(":commission", "fee", paid, paidIn.isEmpty ? trade.currency : paidIn)
    }
    let tax = row.text(taxes).isEmpty ? .zero : try cost(row, taxes)
    if tax != .zero { companion(":tax", "tax", tax, trade.currency) }
    return [trade] + all
  }

  /// What was paid, above zero; money has four decimals, and commissions come with more.
  private static func cost(_ row: ExportRow, _ column: Int) throws(RowRefusal) -> Money {
    let units = try row.number(column, as: Price.self).units
    let step = powerOfTen(Price.scale - Money.scale)
    let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: UInt128(step))
    let isUp = rest * 2 > step || (rest * 2 == step && whole % 2 == 1)
    let rounded = Int128(whole) + (isUp ? 1 : 0)
    return Money(units: units > 0 ? -rounded : rounded)
  }

  /// `2026-01-05` or `20260105`, and a time behind it or none.
  private static let dates = [nil, DateFormat("YYYYMMDD")]

  /// What a point of the instrument's price is worth; a bond's is in per cent of par, which the
  /// instrument's multiplier says here and the export's does not.
  private static func statedMultiplier(_ row: ExportRow) throws(RowRefusal) -> String {
    guard !["BOND", "BILL"].contains(row.text(assetClass)) else { return "" }
    let stated = try row.optionalNumber(multiplier, as: Rate.self)
    return stated?.text(minimumDecimals: 0) ?? ""
  }
}
