internal import Accounting

/// Which cells an activity of a type must, may and must not have.
struct ActivityRule: Sendable {
  /// Whether a cell is there.
  enum Need: Sendable { case required, optional, forbidden }

  /// What the symbol may be.
  enum Holding: Sendable {
    /// No symbol: it is about cash.
    case none
    /// A quoted instrument.
    case quoted
    /// An instrument valued by statements.
    case valued
    /// Any instrument, or none.
    case optional
  }

  var holding: Holding
  var quantity = Need.forbidden
  var price = Need.forbidden
  var amount = Need.forbidden
  /// Whether the amount may be negative: paid where it is usually received, or given back.
  var isSigned = false
  /// Whether it must be in the instrument's currency.
  var isInOwnCurrency = true

  private static let cash = ActivityRule(holding: .none, amount: .required)
  private static let fund = ActivityRule(holding: .valued, amount: .required)
  private static let trade = ActivityRule(holding: .quoted, quantity: .required, price: .required)

  /// The rule of a type; a withdrawal and a transfer have two.
  ///
  /// - Parameter isValued: Whether the symbol is of a valued instrument; nil without a symbol.
  static func of(_ type: ActivityType, isValued: Bool?) -> ActivityRule {
    switch type {
    case .deposit, .exchangeOut, .exchangeIn: cash
    case .withdrawal: isValued == nil ? cash : fund
    case .buy, .sell: trade
    case .expire: ActivityRule(holding: .quoted, quantity: .optional, price: .optional)
    case .transferIn, .transferOut:
      isValued == true
        ? fund
        : ActivityRule(
          holding: .quoted, quantity: .required, price: .optional, amount: .optional)
    case .dividend:
      ActivityRule(holding: .optional, amount: .required, isInOwnCurrency: false)
    case .interest, .fee, .tax:
      ActivityRule(holding: .optional, amount: .required, isSigned: true, isInOwnCurrency: false)
    case .investment, .regularInvestment, .governmentUplift, .productSwitchIn,
      .regularWithdrawal, .productSwitchOut, .fundSwitchIn, .fundSwitchOut:
      fund
    }
  }
}

extension ActivityRows {
  /// The instrument that an activity is about, checked against what its type allows.
  func instrument(
    _ cells: Cells, _ type: ActivityType, _ date: Day, _ portfolio: ReferenceBooks.Portfolio,
    _ books: ReferenceBooks
  ) throws(RowRefusal) -> ReferenceBooks.Instrument? {
    var instrument: ReferenceBooks.Instrument?
    if cells.bytes(Column.symbol) != nil {
      instrument = try books.instrument(cells, Column.symbol, on: date)
    }
    let rule = ActivityRule.of(type, isValued: instrument?.isValued)
    switch (rule.holding, instrument?.isValued) {
    case (.none, .some):
      throw cells.refuse(Column.symbol, "a \(type.rawValue) has no symbol: it is about cash")
    case (.quoted, nil), (.valued, nil):
      guard isMissingAllowed(Column.symbol, cells) else {
        throw cells.refuse(Column.symbol, "a \(type.rawValue) needs a symbol")
      }
    case (.quoted, true):
      throw cells.refuse(
        Column.type,
        "a \(type.rawValue) needs a quoted instrument; this one is valued by statements")
    case (.valued, false):
      throw cells.refuse(
        Column.type,
        "a \(type.rawValue) needs an instrument valued by statements; this one is quoted")
    default: break
    }
    if type == .exchangeOut || type == .exchangeIn, !portfolio.isPerCurrency {
      throw cells.refuse(
        Column.type,
        "portfolio \(portfolio.code) keeps all cash in \(portfolio.base): nothing to exchange")
    }
    if type == .dividend, instrument?.isValued == false, portfolio.hasAutomaticDividends {
      throw cells.refuse(
        Column.type, "portfolio \(portfolio.code) takes dividends from corporate actions")
    }
    return instrument
  }

  /// A cancelled activity needs no more than its id, portfolio, date and type: the columns that
  /// the file leaves out keep what is stored.
  func isMissingAllowed(_ column: Int, _ cells: Cells) -> Bool {
    !cells.header.has(column) && isCancelled(cells)
  }

  private func isCancelled(_ cells: Cells) -> Bool {
    cells.bytes(Column.status).map { $0.elementsEqual("cancelled".utf8) } ?? false
  }

  /// A number as its type's rule needs it: not negative unless `isSigned`, pence in pounds.
  func number<Number: FixedPoint>(
    _ cells: Cells, _ column: Int, _ need: ActivityRule.Need, _ type: ActivityType,
    _ denomination: Denomination?, isSigned: Bool = false, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number? {
    guard cells.bytes(column) != nil else {
      guard need == .required, !isMissingAllowed(column, cells) else { return nil }
      throw cells.refuse(column, "a \(type.rawValue) needs a value here")
    }
    guard need != .forbidden else {
      throw cells.refuse(column, "a \(type.rawValue) has none; leave it empty")
    }
    let number =
      isSigned
      ? try cells.number(column, as: Number.self) : try cells.natural(column, as: Number.self)
    guard let number else { return nil }
    return try cells.inUnits(number, denomination, column)
  }
}
