internal import Accounting

/// Portfolio Performance: the file itself, saved as XML (with `id` attributes or without).
///
/// The program writes an object where it first meets it, within whatever refers to it first, and
/// from then on a reference: a depot with all its transactions may stand within the first purchase
/// of an account. So each transaction is taken where its body stands, wherever that is. References
/// are followed to securities, which stand first and are kept, and to what is open around them.
final class ClientDocument: ExportDocument {
  let columns: [String]
  let kind: ImportKind
  /// The portfolio that everything is of.
  let portfolio: String
  /// What kind of instruments the securities are.
  private let instrumentKind: String
  private var rows: [DocumentRow] = []

  /// The elements that are open, from the root on.
  private(set) var frames: [Frame] = []
  private var securities = SecurityList()
  /// The transactions that are open, the outermost first.
  private var transactions: [ClientTransaction] = []
  private var hasVersion = false

  /// The oldest version of the file in which all numbers are as they are now, and all transactions
  /// have ids.
  private static let oldestVersion = 51

  /// An element that is open.
  struct Frame {
    enum Role {
      case other
      /// The body of a security, by its number.
      case security(Int)
      /// The body of a transaction, by its place among those that are open.
      case transaction(Int)
    }

    let name: String
    /// How many of its name its parent has before it, and itself.
    let index: Int
    var role = Role.other
    /// The number by which others refer to it; in files with such numbers.
    let id: String?
    /// How many children of each name there are; of the first few names.
    var children: [(name: String, count: Int)] = []
    /// The unit of a transaction that it is.
    var unit: ClientTransaction.Unit?
  }

  /// - Returns: nil where there are no such rows in the file.
  init?(_ kind: ImportKind, portfolio: String?, instrumentKind: String?) {
    switch kind {
    case .activities: columns = ExportedActivity.columns
    case .instruments: columns = ["symbol", "name", "kind", "currency"]
    case .prices: columns = ["date", "symbol", "close", "currency"]
    default: return nil
    }
    self.kind = kind
    self.portfolio = portfolio ?? ""
    self.instrumentKind = instrumentKind ?? "equity"
  }

  func takeRows() -> [DocumentRow] {
    defer { rows.removeAll(keepingCapacity: true) }
    return rows
  }

  private func emit(_ lines: [[String]], _ refusal: RowRefusal?, _ reader: XMLReader) {
    let place = reader.place
    rows.append(DocumentRow(line: place.line, end: place.end, lines: lines, refusal: refusal))
  }

  // MARK: elements

  func start(_ element: XMLElement, _ reader: XMLReader) {
    if frames.isEmpty, element.name != "client" {
      return reader.refuse(
        "its root is <\(element.name.prefix(60))>, and that of Portfolio Performance's is <client>",
        hint: "save the file in Portfolio Performance as XML, without a password")
    }
    var frame = Frame(name: element.name, index: place(of: element.name), id: element["id"])
    if let reference = element["reference"] {
      frames.append(frame)
      return follow(reference)
    }
    switch element.name {
    case "security": frame.role = .security(securities.add())
    case "account-transaction", "accountTransaction":
      frame.role = open(isOfAccount: true)
    case "portfolio-transaction", "portfolioTransaction":
      frame.role = open(isOfAccount: false)
    case "transactionFrom", "transactionTo":
      frame.role = open(isOfAccount: !isWithinPortfolioTransfer)
    case "crossEntry":
      if case .transaction(let place)? = frames.last?.role {
        transactions[place].crossEntry = element["class"]
      }
    case "unit":
      if case .transaction? = grandparent {
        frame.unit = ClientTransaction.Unit(type: element["type"] ?? "")
      }
    case "amount", "forex": takeUnitPart(element)
    case "price" where kind == .prices: price(element, reader)
    case "ledger-entry" where kind == .activities:
      emit(
        [columns.map { _ in "" }],
        RowRefusal(
          field: nil, message: "an entry of the ledger, which is not read: enter it by hand"),
        reader)
    default: break
    }
    if !hasVersion, !frames.isEmpty, element.name != "version" {
      return reader.refuse(
        "its version is not said before its content",
        hint: "open it with a current Portfolio Performance and save it again")
    }
    frames.append(frame)
    if case .security(let number) = frame.role { register(number) }
  }

  /// Counts a child of the innermost open element.
  private func place(of name: String) -> Int {
    guard let last = frames.indices.last else { return 1 }
    if let known = frames[last].children.firstIndex(where: { $0.name == name }) {
      frames[last].children[known].count += 1
      return frames[last].children[known].count
    }
    if frames[last].children.count < 64 { frames[last].children.append((name, 1)) }
    return 1
  }

  private var grandparent: Frame.Role? {
    frames.count < 2 ? nil : frames[frames.count - 2].role
  }

  private func open(isOfAccount: Bool) -> Frame.Role {
    transactions.append(ClientTransaction(isOfAccount: isOfAccount))
    return .transaction(transactions.count - 1)
  }

  private var isWithinPortfolioTransfer: Bool {
    guard frames.count >= 2, case .transaction(let place) = frames[frames.count - 2].role else {
      return false
    }
    return transactions[place].crossEntry == "portfolio-transfer"
  }

  func end(_ name: String, text: String, _ reader: XMLReader) {
    guard let frame = frames.popLast() else { return }
    switch frame.role {
    case .security(let number):
      if kind == .instruments { instrument(number, reader) }
      if case .transaction(let place)? = frames.last?.role {
        transactions[place].security = number
      }
    case .transaction:
      guard var transaction = transactions.popLast() else { return }
      if let other = transaction.counterpart {
        transaction.otherCurrency = transactions[other].currency
        transactions[other].otherCurrency = transaction.currency
      }
      if kind == .activities { activities(of: transaction, reader) }
    case .other:
      if let unit = frame.unit, case .transaction(let place)? = grandparent {
        transactions[place].take(unit)
      } else if !text.isEmpty {
        field(frame, text, reader)
      }
    }
  }

  /// Takes a field of what is open.
  private func field(_ frame: Frame, _ text: String, _ reader: XMLReader) {
    switch frames.last?.role {
    case .security(let number): securities[number].take(frame.name, text)
    case .transaction(let place):
      transactions[place].take(frame.name, text)
      if frame.name == "date" { transactions[place].dateID = frame.id }
    default:
      guard frames.count == 1, frame.name == "version" else { return }
      hasVersion = true
      guard let version = Int(text), version >= Self.oldestVersion else {
        return reader.refuse(
          "it is of version '\(text.prefix(20))', and the oldest that is read is "
            + "\(Self.oldestVersion)",
          hint: "open it with a current Portfolio Performance and save it again")
      }
    }
  }

  private func takeUnitPart(_ element: XMLElement) {
    guard let last = frames.indices.last, frames[last].unit != nil else { return }
    let (amount, currency) = (Int64(element["amount"] ?? ""), element["currency"] ?? "")
    if element.name == "amount" {
      frames[last].unit?.amount = amount
      frames[last].unit?.currency = currency
    } else {
      frames[last].unit?.forexAmount = amount
      frames[last].unit?.forexCurrency = currency
    }
  }

  // MARK: rows

  private func activities(of transaction: ClientTransaction, _ reader: XMLReader) {
    do throws(RowRefusal) {
      let security = transaction.security.map { securities[$0] }
      let found = try transaction.activities(
        symbol: try transaction.security.map { number throws(RowRefusal) in
          try securities.symbol(of: number)
        } ?? "", own: security?.currency ?? "")
      guard !found.isEmpty else { return }
      emit(found.map { $0.cells(portfolio: portfolio) }, nil, reader)
    } catch {
      var draft = transaction.draft
      draft.symbol = transaction.security.map { securities[$0].symbol } ?? ""
      emit([draft.cells(portfolio: portfolio)], error, reader)
    }
  }

  private func instrument(_ number: Int, _ reader: XMLReader) {
    let security = securities[number]
    let name = security.name.isEmpty ? security.symbol : security.name
    // Prices in pence are those of an instrument in pounds.
    let currency = security.currency == "GBX" ? "GBP" : security.currency
    let cells = [security.symbol, name, instrumentKind, currency]
    do throws(RowRefusal) {
      _ = try securities.symbol(of: number)
      try requireInstrument(security)
      emit([cells], nil, reader)
    } catch {
      emit([cells], error, reader)
    }
  }

  private func requireInstrument(_ security: ClientSecurity) throws(RowRefusal) {
    guard security.targetCurrency.isEmpty else {
      throw RowRefusal(field: "symbol", message: "is a rate of exchange, and no instrument")
    }
    guard !security.currency.isEmpty else {
      throw RowRefusal(field: "currency", message: "has no currency: an index, and no instrument")
    }
  }

  /// Takes a close; why a security has none is said once.
  private func price(_ element: XMLElement, _ reader: XMLReader) {
    guard case .security(let number)? = grandparent, frames.last?.name == "prices",
      !securities[number].isRefused
    else { return }
    let security = securities[number]
    let (date, value) = (element["t"] ?? "", element["v"] ?? "")
    var cells = [date, security.symbol, "", security.currency]
    do throws(RowRefusal) {
      do throws(RowRefusal) {
        _ = try securities.symbol(of: number)
        try requireInstrument(security)
      } catch {
        securities[number].isRefused = true
        throw error
      }
      guard let close = Int64(value) else {
        throw RowRefusal(
          field: "close", message: "'\(value.prefix(60))' is no number of hundred-millionths")
      }
      cells[2] = decimal(hundredMillionths: close)
      emit([cells], nil, reader)
    } catch {
      emit([cells], error, reader)
    }
  }

  // MARK: references

  /// Follows the reference of the innermost open element.
  private func follow(_ reference: String) {
    let name = frames[frames.count - 1].name
    guard frames.count >= 2, case .transaction(let place) = frames[frames.count - 2].role else {
      return
    }
    switch name {
    case "security":
      transactions[place].security = securities.number(
        of: reference.first == "." ? path(to: reference) : "#\(reference)")
    case "date":
      transactions[place].date = date(reference)
    case "crossEntry":
      guard let entry = openFrame(reference), entry > 0,
        case .transaction(let owner) = frames[entry - 1].role
      else { return }
      transactions[place].crossEntry = transactions[owner].crossEntry
      transactions[place].counterpart = owner
    default: break
    }
  }

  /// The place of the open element that a reference names; nil where it names none of these.
  private func openFrame(_ reference: String) -> Int? {
    guard reference.first == "." else {
      return frames.dropLast().lastIndex { $0.id == reference }
    }
    guard let (base, rest) = ascended(reference), rest.isEmpty else { return nil }
    return base
  }

  /// The place of the element to which a path goes up, and the steps by which it goes down again.
  private func ascended(_ reference: String) -> (base: Int, rest: [Substring])? {
    let steps = reference.split(separator: "/")
    let ups = steps.prefix { $0 == ".." }.count
    guard ups < frames.count else { return nil }
    return (frames.count - 1 - ups, Array(steps[ups...]))
  }

  /// The path from the root to what a relative one refers to.
  private func path(to reference: String) -> String {
    guard let (base, rest) = ascended(reference) else { return "" }
    return (frames[...base].map(Self.step) + rest.map(Self.plain)).joined(separator: "/")
  }

  private static func step(_ frame: Frame) -> String {
    frame.index == 1 ? frame.name : "\(frame.name)[\(frame.index)]"
  }

  private static func plain(_ step: Substring) -> String {
    step.hasSuffix("[1]") ? String(step.dropLast(3)) : String(step)
  }

  private func date(_ reference: String) -> String {
    guard reference.first == "." else {
      return transactions.last { $0.dateID == reference }?.date ?? ""
    }
    guard let (base, rest) = ascended(reference), rest == ["date"],
      case .transaction(let place) = frames[base].role
    else { return "" }
    return transactions[place].date
  }

  private func register(_ number: Int) {
    securities.register(number, as: frames.map(Self.step).joined(separator: "/"))
    if let id = frames.last?.id { securities.register(number, as: "#\(id)") }
  }
}
