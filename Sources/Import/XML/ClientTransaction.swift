internal import Accounting

/// A transaction of an account or a depot of Portfolio Performance; amounts in hundredths.
struct ClientTransaction {
  /// A part of the amount: a fee, a tax, or the value before both in the security's currency.
  struct Unit {
    var type: String
    var amount: Int64?
    var currency = ""
    var forexAmount: Int64?
    var forexCurrency = ""
  }

  /// Whether it is an account's, and not a depot's.
  let isOfAccount: Bool
  var uuid = ""
  var date = ""
  /// The number by which others refer to its date; in files with such numbers.
  var dateID: String?
  var type = ""
  var currency = ""
  var note = ""
  var amount: Int64?
  /// How many shares, in hundred-millionths.
  var shares: Int64?
  var security: Int?
  private(set) var units: [Unit] = []
  /// The class of what ties it to its other half; nil where it has none.
  var crossEntry: String?
  /// The place of its other half among the open transactions, if that is open around it.
  var counterpart: Int?
  /// The currency of its other half.
  var otherCurrency: String?

  /// The most units of a transaction; the program itself writes a handful.
  static let unitLimit = 1_000
  private var hasTooManyUnits = false

  init(isOfAccount: Bool) { self.isOfAccount = isOfAccount }

  /// Takes a field of its body.
  mutating func take(_ field: String, _ text: String) {
    switch field {
    case "uuid": uuid = text
    case "date": date = String(text.prefix { $0 != "T" })
    case "type": type = text
    case "currencyCode": currency = text
    case "note": note = text
    case "amount": amount = Int64(text)
    case "shares": shares = Int64(text)
    default: break
    }
  }

  /// Takes a unit.
  mutating func take(_ unit: Unit) {
    guard units.count < Self.unitLimit else { return hasTooManyUnits = true }
    units.append(unit)
  }

  private func refuse(_ field: String?, _ message: String) -> RowRefusal {
    RowRefusal(field: field, message: message)
  }

  /// An activity of it, with what all have.
  private func activity(
    _ type: String, part: String = "", amount: Int128? = nil, in currency: String? = nil
  ) -> ExportedActivity {
    ExportedActivity(
      id: uuid, part: part, date: date, type: type,
      amount: amount.map(Self.text) ?? "", currency: currency ?? self.currency,
      note: part.isEmpty ? note : "")
  }

  private static func text(_ hundredths: Int128) -> String {
    Money(units: hundredths * 100).text(minimumDecimals: 0)
  }

  /// What can be said of a transaction that is refused.
  var draft: ExportedActivity {
    var draft = activity(type.lowercased(), amount: amount.map { Int128($0) })
    if let shares { draft.quantity = decimal(hundredMillionths: shares) }
    return draft
  }

  // MARK: meaning

  /// What it does to the books.
  ///
  /// - Parameters:
  ///   - symbol: The security's; empty where it is about none.
  ///   - own: The currency of the security.
  /// - Returns: Nothing where its other half says it all, or nothing comes or goes.
  func activities(symbol: String, own: String) throws(RowRefusal) -> [ExportedActivity] {
    if isHalf { return [] }
    guard !uuid.isEmpty else { throw refuse("id", "a transaction without uuid") }
    guard !date.isEmpty else {
      throw refuse("date", "its date is written elsewhere in the file, or nowhere")
    }
    guard !hasTooManyUnits else {
      throw refuse(nil, "a transaction of more than \(Self.unitLimit) units")
    }
    let net = try value(amount, "amount")
    let (fee, tax) = (try sum("FEE"), try sum("TAX"))
    var found =
      switch type {
      case "DEPOSIT": try plain("deposit", net, fee + tax)
      case "REMOVAL": try plain("withdrawal", net, fee + tax)
      case "FEES": try plain("fee", net, fee + tax)
      case "FEES_REFUND": try plain("fee", -net, fee + tax)
      case "TAXES": try plain("tax", net, fee + tax)
      case "TAX_REFUND": try plain("tax", -net, fee + tax)
      case "INTEREST_CHARGE": try plain("interest", -net, fee + tax)
      case "INTEREST": income("interest", net, fee, tax)
      case "DIVIDENDS": income("dividend", net, fee, tax)
      case "BUY", "SELL":
        try trade(isPurchase: type == "BUY", net: net, fee: fee, tax: tax, own: own)
      case "DELIVERY_INBOUND", "DELIVERY_OUTBOUND":
        try delivery(isInbound: type == "DELIVERY_INBOUND", net: net, fee: fee, tax: tax, own: own)
      case "TRANSFER_IN", "TRANSFER_OUT": try exchange(net)
      default: throw refuse("type", "'\(type.prefix(60))' is not a type of transaction")
      }
    for place in found.indices where !["deposit", "withdrawal"].contains(found[place].type) {
      if !found[place].type.hasPrefix("exchange") { found[place].symbol = symbol }
    }
    return found
  }

  /// Whether it moves nothing in or out: half of a trade that the depot's half tells, or of a move
  /// between accounts or depots of the file.
  private var isHalf: Bool {
    switch type {
    case "BUY", "SELL": isOfAccount && crossEntry != nil
    case "TRANSFER_IN", "TRANSFER_OUT": !isOfAccount || otherCurrency == currency
    default: false
    }
  }

  private func value(_ number: Int64?, _ field: String) throws(RowRefusal) -> Int128 {
    guard let number else { throw refuse(field, "a value is required") }
    guard number >= 0 else { throw refuse(field, "must not be negative") }
    guard number < 10_000_000_000_000_000 else {
      throw refuse(field, "is out of range: the magnitude must be below 10^14")
    }
    return Int128(number)
  }

  private func sum(_ type: String) throws(RowRefusal) -> Int128 {
    var sum: Int128 = 0
    for unit in units where unit.type == type {
      guard unit.currency == currency else {
        throw refuse("fee", "a \(type.lowercased()) in another currency than the transaction")
      }
      sum += try value(unit.amount, type == "FEE" ? "fee" : "amount")
    }
    return sum
  }

  private func plain(
    _ word: String, _ amount: Int128, _ parts: Int128
  ) throws(RowRefusal) -> [ExportedActivity] {
    guard parts == 0 else {
      throw refuse("type", "a \(type) with fees or taxes of its own: enter it by hand")
    }
    return [activity(word, amount: amount)]
  }

  private func income(
    _ word: String, _ net: Int128, _ fee: Int128, _ tax: Int128
  ) -> [ExportedActivity] {
    var found = activity(word, amount: net + fee + tax)
    if fee != 0 { found.fee = Self.text(fee) }
    return [found] + taxes(tax)
  }

  private func taxes(_ tax: Int128) -> [ExportedActivity] {
    tax == 0 ? [] : [activity("tax", part: ":tax", amount: tax)]
  }

  private func fees(_ fee: Int128) -> [ExportedActivity] {
    fee == 0 ? [] : [activity("fee", part: ":fee", amount: fee)]
  }

  private func exchange(_ net: Int128) throws(RowRefusal) -> [ExportedActivity] {
    guard otherCurrency != nil else {
      throw refuse("type", "the account at the other end is not in the file: enter it by hand")
    }
    return [activity(type == "TRANSFER_OUT" ? "exchange_out" : "exchange_in", amount: net)]
  }

  // MARK: trades and deliveries

  /// The value before fees and taxes, in the security's currency.
  private func gross(
    isPurchase: Bool, net: Int128, fee: Int128, tax: Int128, own: String
  ) throws(RowRefusal) -> (value: Int128, paid: Int128, currency: String) {
    let paid = isPurchase ? net - fee - tax : net + fee + tax
    guard paid >= 0 else { throw refuse("amount", "fees and taxes are more than the amount") }
    guard !own.isEmpty else { throw refuse("currency", "the security has no currency") }
    if own == currency || Self.pounds(own) == Self.pounds(currency) {
      return (paid, paid, currency)
    }
    guard let unit = units.first(where: { $0.type == "GROSS_VALUE" && $0.forexCurrency == own })
    else {
      throw refuse(
        "currency", "the security is in \(own), the account in \(currency), and no rate is given")
    }
    return (try value(unit.forexAmount, "amount"), paid, own)
  }

  private static func pounds(_ currency: String) -> String { currency == "GBX" ? "GBP" : currency }

  private func count() throws(RowRefusal) -> Int64 {
    guard let shares, shares > 0 else { throw refuse("quantity", "a \(type) needs shares") }
    return shares
  }

  private func trade(
    isPurchase: Bool, net: Int128, fee: Int128, tax: Int128, own: String
  ) throws(RowRefusal) -> [ExportedActivity] {
    guard security != nil else { throw refuse("symbol", "its security is not in the file") }
    let count = try count()
    let gross = try gross(isPurchase: isPurchase, net: net, fee: fee, tax: tax, own: own)
    var trade = activity(isPurchase ? "buy" : "sell", in: gross.currency)
    trade.quantity = decimal(hundredMillionths: count)
    trade.price = Self.price(gross.value, count)
    if gross.currency == currency {
      if fee != 0 { trade.fee = Self.text(fee) }
      return [trade] + taxes(tax)
    }
    // What is paid in the account's currency is changed into the security's, or back.
    func exchanged(_ word: String, isOwn: Bool) -> ExportedActivity {
      activity(
        "exchange_\(word)", part: ":\(word)", amount: isOwn ? gross.value : gross.paid,
        in: isOwn ? gross.currency : currency)
    }
    let moves =
      isPurchase
      ? [exchanged("out", isOwn: false), exchanged("in", isOwn: true), trade]
      : [trade, exchanged("out", isOwn: true), exchanged("in", isOwn: false)]
    return moves + fees(fee) + taxes(tax)
  }

  /// Units come or go at their value; what it cost besides was paid from elsewhere.
  private func delivery(
    isInbound: Bool, net: Int128, fee: Int128, tax: Int128, own: String
  ) throws(RowRefusal) -> [ExportedActivity] {
    guard security != nil else { throw refuse("symbol", "its security is not in the file") }
    let count = try count()
    let gross = try gross(isPurchase: isInbound, net: net, fee: fee, tax: tax, own: own)
    var moved = activity(
      isInbound ? "transfer_in" : "transfer_out", amount: gross.value, in: gross.currency)
    moved.quantity = decimal(hundredMillionths: count)
    guard fee + tax > 0 else { return [moved] }
    return [moved] + fees(fee) + taxes(tax)
      + [activity("deposit", part: ":deposit", amount: fee + tax)]
  }

  /// The value a share to twelve decimals, so that quantity × price is the value.
  private static func price(_ hundredths: Int128, _ shares: Int64) -> String {
    let (whole, rest) = (hundredths * powerOfTen(18)).quotientAndRemainder(
      dividingBy: Int128(shares))
    let isUp = rest * 2 > shares || (rest * 2 == shares && whole % 2 == 1)
    return Price(units: whole + (isUp ? 1 : 0)).text(minimumDecimals: 0)
  }
}

/// A number of hundred-millionths as a plain decimal; shares and closes are written so.
func decimal(hundredMillionths number: Int64) -> String {
  let (whole, rest) = number.magnitude.quotientAndRemainder(dividingBy: 100_000_000)
  let sign = number < 0 ? "-" : ""
  guard rest > 0 else { return "\(sign)\(whole)" }
  var (digits, count) = (rest, 8)
  while digits % 10 == 0 { (digits, count) = (digits / 10, count - 1) }
  let text = String(digits)
  return "\(sign)\(whole).\(String(repeating: "0", count: count - text.utf8.count))\(text)"
}
