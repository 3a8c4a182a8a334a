internal import Accounting

/// An element of a Flex query's XML, and what it means; all that it says is in its attributes.
struct FlexElement {
  let element: XMLElement
  let notation: Notation

  var name: String { element.name }

  /// An attribute without the space around it; empty where there is none.
  subscript(_ name: String) -> String {
    element[name]?.withoutSpaceAround ?? ""
  }

  /// The symbol, with the white space within taken out; empty for cash.
  var symbol: String {
    var symbol = self["symbol"]
    if symbol.utf8.contains(where: { $0 <= 32 || $0 >= 0x80 }) {
      symbol.removeAll(where: \.isWhitespace)
    }
    return symbol == "--" ? "" : symbol
  }

  /// The first of these attributes that is there, as a date.
  func day(_ names: String...) -> String {
    for name in names {
      let text = self[name]
      if !text.isEmpty { return day(text) }
    }
    return ""
  }

  /// `20260105`, `2026-01-05` or what the query was told to write; a time may stand behind it.
  private func day(_ text: String) -> String {
    let digits = text.prefix { $0 != ";" && $0 != "," && $0 != " " && $0 != "T" }
    if notation.dateFormat != nil {
      let day = Array(digits.utf8).withUnsafeBufferPointer { notation.day($0) }
      return day?.description ?? String(digits)
    }
    guard digits.utf8.count == 8, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return String(digits)
    }
    return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
  }

  private func refuse(_ field: String, _ message: String) -> RowRefusal {
    RowRefusal(field: field, message: message)
  }

  private func required(_ name: String) throws(RowRefusal) -> String {
    let text = self[name]
    guard !text.isEmpty else {
      throw refuse(name, "a value is required; the query must have this field")
    }
    return text
  }

  private func number<Number: FixedPoint>(
    _ name: String, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number {
    let text = self[name]
    if text.isEmpty { return .zero }
    do throws(DecimalError) {
      return try Number(decimal: text.utf8)
    } catch {
      throw refuse(name, "'\(text.prefix(60))' \(error.refusal)")
    }
  }

  /// An activity of the element, with what all have.
  private func activity(
    _ type: String, id: String, day: String, amount: Money? = nil
  ) -> ExportedActivity {
    ExportedActivity(
      id: id, portfolio: self["accountId"], date: day, type: type,
      amount: amount?.text(minimumDecimals: 0) ?? "", currency: self["currency"],
      note: self["description"])
  }

  /// What can be said of an element that is refused.
  var draft: ExportedActivity {
    var draft = activity(
      self["buySell"].lowercased(), id: Self.id(self, "tradeID", "ibExecID", "transactionID"),
      day: day("tradeDate", "dateTime", "date", "reportDate"))
    (draft.symbol, draft.quantity) = (symbol, self["quantity"])
    (draft.price, draft.amount) = (self["tradePrice"], self["amount"])
    return draft
  }

  private static func id(_ element: FlexElement, _ names: String...) -> String {
    names.lazy.map { element[$0] }.first { !$0.isEmpty } ?? ""
  }

  // MARK: trades

  /// The attributes for the columns of the CSV file, by the rule by which one is made of the other.
  private static let tradeAttributes: [[String]] = InteractiveBrokers.columns.map { column in
    column.names.map { header in
      switch header {
      case "ClientAccountID": "accountId"
      case "CurrencyPrimary": "currency"
      case "AssetClass": "assetCategory"
      case _ where header.hasPrefix("IB"): "ib\(header.dropFirst(2))"
      default: header.prefix(1).lowercased() + header.dropFirst().filter { $0 != "/" }
      }
    }
  }

  /// A purchase or sale, and its further costs: what the same row of the CSV file means.
  func trade() throws(RowRefusal) -> [ExportedActivity] {
    for name in ["symbol", "currency", "quantity", "tradePrice", "ibCommission"] {
      _ = try required(name)
    }
    let texts = Self.tradeAttributes.map { names in
      names.lazy.map { self[$0] }.first { !$0.isEmpty } ?? ""
    }
    return try RowFields.reading(texts) { fields throws(RowRefusal) in
      try InteractiveBrokers.activities(
        ExportRow(
          fields: fields, columns: InteractiveBrokers.columns, positions: Array(texts.indices),
          notation: notation))
    }
  }

  // MARK: cash

  /// A deposit, a dividend, interest, a fee or a tax.
  func cash() throws(RowRefusal) -> [ExportedActivity] {
    let id = "cash:" + (try required("transactionID"))
    _ = try (required("amount"), required("currency"))
    let amount = Money(halfEven: try number("amount", as: Price.self))
    let day = day("dateTime", "settleDate", "reportDate")
    let (taken, word) = (Money(units: -amount.units), try required("type"))
    var found: ExportedActivity
    switch word.lowercased() {
    case "deposits/withdrawals", "deposits & withdrawals", "deposits", "withdrawals":
      return [
        activity(
          amount < .zero ? "withdrawal" : "deposit", id: id, day: day,
          amount: amount < .zero ? taken : amount)
      ]
    case "dividends", "payment in lieu of dividends":
      guard amount >= .zero else {
        throw refuse("amount", "a dividend is taken back: cancel the one that was paid, by its id")
      }
      found = activity("dividend", id: id, day: day, amount: amount)
    case "withholding tax", "871(m) withholding", "sales tax":
      found = activity("tax", id: id, day: day, amount: taken)
    case "broker interest paid", "broker interest received", "bond interest paid",
      "bond interest received":
      found = activity("interest", id: id, day: day, amount: amount)
    case "other fees", "broker fees", "advisor fees", "commission adjustments":
      found = activity("fee", id: id, day: day, amount: taken)
    default:
      throw refuse("type", "'\(word.prefix(60))' is not a known kind of cash: enter it by hand")
    }
    found.symbol = symbol
    return [found]
  }

  // MARK: transfers and corporate actions

  /// Units or cash that came from elsewhere, or went there.
  func transfer() throws(RowRefusal) -> [ExportedActivity] {
    let id = "transfer:" + (try required("transactionID"))
    let day = day("date", "dateTime", "reportDate")
    let count: Quantity = try number("quantity")
    let cash = Money(halfEven: try number("cashTransfer", as: Price.self))
    let isOut = try isOutbound(isNegative: count == .zero ? cash < .zero : count < .zero)
    guard count != .zero, !symbol.isEmpty else {
      guard cash != .zero else {
        throw refuse("quantity", "neither units nor cash are transferred")
      }
      let amount = Money(units: abs(cash.units))
      return [activity(isOut ? "withdrawal" : "deposit", id: id, day: day, amount: amount)]
    }
    guard cash == .zero else {
      throw refuse("cashTransfer", "units and cash in one transfer: enter it by hand")
    }
    var moved = activity(isOut ? "transfer_out" : "transfer_in", id: id, day: day)
    moved.symbol = symbol
    moved.quantity = Quantity(units: abs(count.units)).text(minimumDecimals: 0)
    let price: Price = try number("transferPrice")
    if price > .zero { moved.price = price.text(minimumDecimals: 0) }
    if !["BOND", "BILL"].contains(self["assetCategory"]) { moved.multiplier = self["multiplier"] }
    let value = Money(halfEven: try number("positionAmount", as: Price.self))
    if value != .zero { moved.amount = Money(units: abs(value.units)).text(minimumDecimals: 0) }
    return [moved]
  }

  private func isOutbound(isNegative: Bool) throws(RowRefusal) -> Bool {
    switch self["direction"].uppercased() {
    case "IN": false
    case "OUT": true
    case "", "-", "--": isNegative
    default: throw refuse("direction", "'\(self["direction"].prefix(60))' is neither IN nor OUT")
    }
  }

  /// Why a corporate action is not taken, and what to do.
  var corporateAction: RowRefusal {
    let type = self["type"]
    let what = [self["actionDescription"], self["description"]].first { !$0.isEmpty } ?? ""
    let way =
      switch type {
      case "FS", "RS", "FI": "import the split as one of corporate-actions"
      default: "enter what it did to the holdings as transfer_out, transfer_in and dividend"
      }
    return RowRefusal(
      field: nil, message: "a corporate action (\(type) \(what.prefix(120))): \(way)")
  }

  // MARK: instruments

  /// The kind of the instrument, and its multiplier; empty for the kind's own.
  func instrument() throws(RowRefusal) -> (kind: String, multiplier: String) {
    let multiplier = self["multiplier"]
    switch self["assetCategory"] {
    case "STK": return (self["subCategory"] == "ETF" ? "etf" : "equity", multiplier)
    case "FUND": return ("fund", multiplier)
    case "CRYPTO": return ("crypto", multiplier)
    case "OPT", "FOP": return ("option", multiplier)
    case "FUT":
      guard !multiplier.isEmpty else {
        throw refuse("multiplier", "a future needs one: the query must have the field Multiplier")
      }
      return ("future", multiplier)
    case "BOND": return ("bond", try bondMultiplier())
    case let other:
      throw refuse(
        "assetCategory", "'\(other.prefix(60))' is no kind of instrument here: enter it by hand")
    }
  }

  /// A bond's price may be in per cent of par or not; a trade's money tells.
  private func bondMultiplier() throws(RowRefusal) -> String {
    let money = (try number("tradeMoney", as: Price.self)).units.magnitude
    let (count, price): (Quantity, Price) = (try number("quantity"), try number("tradePrice"))
    let plain = Double(count.units.magnitude) / 1e12 * Double(price.units.magnitude)
    let ratio = plain > 0 ? Double(money) / plain : 0
    if abs(ratio - 0.01) < 0.000_1 { return "0.01" }
    if abs(ratio - 1) < 0.01 { return "1" }
    throw refuse(
      "multiplier", "whether its prices are in per cent is not said: enter the bond by hand")
  }
}

extension Money {
  /// A number with more decimals than money has, rounded half to even.
  init(halfEven price: Price) {
    let step = powerOfTen(Price.scale - Money.scale).magnitude
    let (whole, rest) = price.units.magnitude.quotientAndRemainder(dividingBy: step)
    let isUp = rest * 2 > step || (rest * 2 == step && whole % 2 == 1)
    let rounded = Int128(whole) + (isUp ? 1 : 0)
    self.init(units: price.units < 0 ? -rounded : rounded)
  }
}
