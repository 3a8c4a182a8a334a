internal import Accounting

extension ActivityTraits {
  /// The numbers of a row: those of its type, but of a fund's flow the amount alone.
  func needs(
    isValued: Bool?
  ) -> (quantity: ActivityTraits.Need, price: ActivityTraits.Need, amount: ActivityTraits.Need) {
    isValued == true ? (.forbidden, .forbidden, .required) : (quantity, price, amount)
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
    let traits = type.traits
    switch traits.refusal(isValued: instrument?.isValued) {
    case .hasHolding:
      throw cells.refuse(Column.symbol, "a \(type.rawValue) has no symbol: it is about cash")
    case .needsHolding:
      guard isMissingAllowed(Column.symbol, cells) else {
        throw cells.refuse(Column.symbol, "a \(type.rawValue) needs a symbol")
      }
    case .onValuedHolding:
      throw cells.refuse(
        Column.type,
        "a \(type.rawValue) needs a quoted instrument; this one is valued by statements")
    case .onQuotedHolding:
      throw cells.refuse(
        Column.type,
        "a \(type.rawValue) needs an instrument valued by statements; this one is quoted")
    case .needsCurrencyCash, .dividendsAreAutomatic, nil: break
    }
    if traits.kind == .exchange, !portfolio.isPerCurrency {
      throw cells.refuse(
        Column.type,
        "portfolio \(portfolio.code) keeps all cash in \(portfolio.base): nothing to exchange")
    }
    if traits.isPaidByActions, instrument?.isValued == false, portfolio.hasAutomaticDividends {
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
    (try? cells.word(Column.status, of: Status.self)) == .cancelled
  }

  /// A source that states a multiplier states the instrument's: a future at a fiftieth of what it
  /// moves would be closed at a fiftieth of its profit.
  func requireMultiplier(
    _ cells: Cells, of instrument: ReferenceBooks.Instrument?
  ) throws(RowRefusal) {
    let stated = try cells.positive(Column.multiplier, as: Rate.self)
    guard let instrument, instrument.multiplier != stated else { return }
    var refusal = cells.refuse(
      Column.multiplier,
      "the file says \(stated.text(minimumDecimals: 0)), the multiplier of \(instrument.symbol) is "
        + instrument.multiplier.text(minimumDecimals: 0))
    refusal.advice = Advice(
      key: "multiplier", "an instrument's multiplier is mended by importing instruments again")
    throw refusal
  }

  /// A number as its type needs it: not negative unless `isSigned`, pence in pounds.
  func number<Number: FixedPoint>(
    _ cells: Cells, _ column: Int, _ need: ActivityTraits.Need, _ type: ActivityType,
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
