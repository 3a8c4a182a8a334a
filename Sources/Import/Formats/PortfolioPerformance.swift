internal import Accounting

/// Portfolio Performance: File → Export → CSV, "All transactions" or the transactions of an account
/// or a securities account, in English or German.
///
/// A value is what was paid or received in the end, with a sign that its type repeats; fees and
/// taxes are in it. A trade's price is the value before both, a share. Older exports of a cash
/// account lack the columns of fees and of foreign currencies: rows that need them are refused.
enum PortfolioPerformance {
  static let columns: [ExportColumn] = [
    .required("Date", "Datum"), .required("Type", "Typ"), .required("Value", "Wert").number,
    .required("Transaction Currency", "Buchungswährung"),
    .optional("Currency Gross Amount", "Währung Bruttobetrag"),
    .optional("Fees", "Gebühren").number, .optional("Taxes", "Steuern").number,
    .optional("Shares", "Stück").number, .optional("ISIN"),
    .optional("Ticker Symbol", "Ticker-Symbol"), .optional("Note", "Notiz"),
  ]
  private static let (date, type, value, currency, foreign) = (0, 1, 2, 3, 4)
  private static let (fees, taxes, shares, isin, ticker, note) = (5, 6, 7, 8, 9, 10)

  /// The words of both languages, in small letters, and what they mean here.
  private static let types: [String: String] = [
    "buy": "buy", "kauf": "buy", "sell": "sell", "verkauf": "sell",
    "delivery (inbound)": "transfer_in", "einlieferung": "transfer_in",
    "delivery (outbound)": "transfer_out", "auslieferung": "transfer_out",
    "deposit": "deposit", "einlage": "deposit", "removal": "withdrawal", "entnahme": "withdrawal",
    "dividend": "dividend", "dividende": "dividend", "interest": "interest", "zinsen": "interest",
    "interest charge": "-interest", "zinsbelastung": "-interest",
    "fees": "fee", "gebühren": "fee", "fees refund": "-fee", "gebührenerstattung": "-fee",
    "taxes": "tax", "steuern": "tax", "tax refund": "-tax", "steuerrückerstattung": "-tax",
  ]

  static func activities(_ row: ExportRow) throws(RowRefusal) -> [ExportedActivity] {
    let word = row.text(type)
    guard let meaning = types[row.word(type)] else { throw refuseType(row) }
    let base = row.text(currency)
    guard row.text(foreign).isEmpty || row.text(foreign) == base else {
      throw row.refuse(
        foreign, "the security is in \(row.text(foreign)), the account in \(base): enter it by hand"
      )
    }
    let isNegative = meaning.hasPrefix("-")
    var activity = ExportedActivity(
      date: try row.day(date, [nil]), type: String(meaning.drop { $0 == "-" }),
      symbol: symbol(row), currency: base, note: row.text(note))
    // Purchases and sales are in the export of the cash account and of the securities account.
    activity.isOfTwoAccounts = meaning == "buy" || meaning == "sell"
    let paid = try row.number(value, as: Money.self)
    let net = Money(units: abs(paid.units))
    let (fee, tax) = (try charge(row, fees), try charge(row, taxes))
    let charges = fee + tax
    switch activity.type {
    case "buy":
      try trade(&activity, row, net - charges)
      activity.fee = fee == .zero ? "" : fee.description
    case "sell":
      try trade(&activity, row, net + charges)
      activity.fee = fee == .zero ? "" : fee.description
    case "transfer_in":
      try trade(&activity, row, net - charges)
      return delivery(activity, fee, tax)
    case "transfer_out":
      try trade(&activity, row, net + charges)
      return delivery(activity, fee, tax)
    case "dividend":
      activity.amount = (net + charges).description
      activity.fee = fee == .zero ? "" : fee.description
    case "interest" where !isNegative:
      activity.amount = (net + charges).description
      activity.fee = fee == .zero ? "" : fee.description
    default:
      guard tax == .zero, fee == .zero else {
        throw row.refuse(type, "a \(word) with fees or taxes of its own: enter it by hand")
      }
      activity.amount = (isNegative ? "-" : "") + net.description
    }
    return [activity] + (tax == .zero ? [] : [companion(activity, "tax", tax)])
  }

  private static func refuseType(_ row: ExportRow) -> RowRefusal {
    let word = row.text(type)
    guard word.contains("Transfer") || word.contains("Umbuchung") else {
      return row.refuse(word: type, "is not a type of transaction")
    }
    return row.refuse(type, "'\(word)' names only one of its two accounts: enter it by hand")
  }

  /// A delivery has no cash side: what it cost beside its value was paid from elsewhere.
  ///
  /// So it comes at its value before fees and taxes, these are paid, and what they need is paid in.
  private static func delivery(
    _ transfer: ExportedActivity, _ fee: Money, _ tax: Money
  ) -> [ExportedActivity] {
    var all = [transfer]
    if fee != .zero { all.append(companion(transfer, "fee", fee)) }
    if tax != .zero { all.append(companion(transfer, "tax", tax)) }
    guard fee + tax != .zero else { return all }
    var deposit = companion(transfer, "deposit", fee + tax)
    deposit.symbol = ""
    return all + [deposit]
  }

  /// What a row says beside its first activity.
  private static func companion(
    _ activity: ExportedActivity, _ type: String, _ amount: Money
  ) -> ExportedActivity {
    ExportedActivity(
      part: ":\(type)", date: activity.date, type: type, symbol: activity.symbol,
      amount: amount.description, currency: activity.currency,
      isOfTwoAccounts: activity.isOfTwoAccounts)
  }

  /// A fee or a tax; an empty cell is none.
  private static func charge(_ row: ExportRow, _ column: Int) throws(RowRefusal) -> Money {
    let charge = try row.optionalNumber(column, as: Money.self) ?? .zero
    guard charge >= .zero else { throw row.refuse(column, "must not be negative") }
    return charge
  }

  private static func symbol(_ row: ExportRow) -> String {
    let ticker = row.text(ticker)
    return ticker.isEmpty ? row.text(isin) : ticker
  }

  /// The price is the value a share to twelve decimals, so that quantity × price is the value.
  private static func trade(
    _ activity: inout ExportedActivity, _ row: ExportRow, _ gross: Money
  ) throws(RowRefusal) {
    for column in [fees, foreign] where !row.has(column) {
      throw row.refuse(
        column,
        "this export has no such column, and a \(row.text(type)) needs it: export the "
          + "securities account")
    }
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
