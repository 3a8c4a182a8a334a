internal import Accounting

/// Portfolio Performance: File → Export → CSV, "All transactions" or the transactions of an account
/// or a securities account, in English or German.
///
/// A value is what was paid or received in the end, with a sign that its type repeats; fees and
/// taxes are in it. A trade's price is the value before both, a share.
enum PortfolioPerformance {
  static let columns: [ExportColumn] = [
    .required("Date", "Datum"), .required("Type", "Typ"), .required("Value", "Wert"),
    .required("Transaction Currency", "Buchungswährung"),
    .required("Currency Gross Amount", "Währung Bruttobetrag"),
    .required("Fees", "Gebühren"), .required("Taxes", "Steuern"), .required("Shares", "Stück"),
    .required("ISIN"), .required("Ticker Symbol", "Ticker-Symbol"), .optional("Note", "Notiz"),
  ]
  private static let (date, type, value, currency, foreign) = (0, 1, 2, 3, 4)
  private static let (fees, taxes, shares, isin, ticker, note) = (5, 6, 7, 8, 9, 10)

  /// The words of both languages, and what they mean here.
  private static let types: [String: String] = [
    "Buy": "buy", "Kauf": "buy", "Sell": "sell", "Verkauf": "sell",
    "Delivery (Inbound)": "transfer_in", "Einlieferung": "transfer_in",
    "Delivery (Outbound)": "transfer_out", "Auslieferung": "transfer_out",
    "Deposit": "deposit", "Einlage": "deposit", "Removal": "withdrawal", "Entnahme": "withdrawal",
    "Dividend": "dividend", "Dividende": "dividend", "Interest": "interest", "Zinsen": "interest",
    "Interest Charge": "-interest", "Zinsbelastung": "-interest",
    "Fees": "fee", "Gebühren": "fee", "Fees Refund": "-fee", "Gebührenerstattung": "-fee",
    "Taxes": "tax", "Steuern": "tax", "Tax Refund": "-tax", "Steuerrückerstattung": "-tax",
  ]

  static func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    let word = row.text(type)
    guard let meaning = types[word] else {
      let isTransfer = word.contains("Transfer") || word.contains("Umbuchung")
      throw row.refuse(
        type,
        isTransfer
          ? "'\(word)' names only one of its two accounts: enter it by hand"
          : "'\(word)' is not a type of transaction")
    }
    let base = row.text(currency)
    guard row.text(foreign).isEmpty || row.text(foreign) == base else {
      throw row.refuse(
        foreign, "the security is in \(row.text(foreign)), the account in \(base): enter it by hand"
      )
    }
    let isNegative = meaning.hasPrefix("-")
    var activity = ExportedActivity(
      date: String(row.text(date).prefix(10)), type: String(meaning.drop { $0 == "-" }),
      symbol: symbol(row), currency: base, note: row.text(note))
    let paid = try row.number(value, as: Money.self)
    let net = Money(units: abs(paid.units))
    let (fee, tax) = (try row.number(fees, as: Money.self), try row.number(taxes, as: Money.self))
    switch activity.type {
    case "buy", "transfer_in":
      try trade(&activity, row, Money(units: net.units - fee.units - tax.units))
      activity.fee = fee == .zero ? "" : fee.description
    case "sell", "transfer_out":
      try trade(&activity, row, Money(units: net.units + fee.units + tax.units))
      activity.fee = fee == .zero ? "" : fee.description
    case "dividend":
      activity.amount = Money(units: net.units + fee.units + tax.units).description
      activity.fee = fee == .zero ? "" : fee.description
    case "interest" where !isNegative:
      activity.amount = Money(units: net.units + fee.units + tax.units).description
      activity.fee = fee == .zero ? "" : fee.description
    default:
      guard tax == .zero, fee == .zero else {
        throw row.refuse(type, "a \(word) with fees or taxes of its own: enter it by hand")
      }
      activity.amount = (isNegative ? "-" : "") + net.description
    }
    guard tax != .zero else { return [activity] }
    let taxed = ExportedActivity(
      part: ":tax", date: activity.date, type: "tax", symbol: activity.symbol,
      amount: tax.description, currency: base)
    return [activity, taxed]
  }

  private static func symbol(_ row: ExportRow) -> String {
    let ticker = row.text(ticker)
    return ticker.isEmpty ? row.text(isin) : ticker
  }

  /// The price is the value a share to twelve decimals, so that quantity × price is the value.
  private static func trade(
    _ activity: inout ExportedActivity, _ row: ExportRow, _ gross: Money
  ) throws(RowRefusal) {
    let count = try row.number(shares, as: Quantity.self)
    guard count > .zero else { throw row.refuse(shares, "a \(row.text(type)) needs shares") }
    guard gross >= .zero else {
      throw row.refuse(value, "fees and taxes are more than the value")
    }
    guard gross.units < powerOfTen(17) else {
      throw row.refuse(value, "is out of range: the magnitude must be below 10^13")
    }
    let (price, rest) = (gross.units * powerOfTen(20)).quotientAndRemainder(
      dividingBy: count.units)
    let isUp = rest * 2 > count.units || (rest * 2 == count.units && price % 2 == 1)
    activity.price = Price(units: price + (isUp ? 1 : 0)).text(minimumDecimals: 0)
    activity.quantity = count.text(minimumDecimals: 0)
  }
}
