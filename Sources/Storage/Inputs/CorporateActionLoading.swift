internal import Accounting
internal import Postgres

/// Reads what companies did; for every instrument at once, since there is little of it.
enum CorporateActionLoading {
  /// The actions that were not taken back, per instrument in their order.
  static func actions(
    of instruments: [ID<Instrument>: Instrument], on db: isolated Connection
  ) throws -> [ID<Instrument>: [CorporateAction]] {
    var result: [ID<Instrument>: [CorporateAction]] = [:]
    try db.forEachRow(actionRows) { row in
      let (instrument, action) = try decode(&row, instruments)
      if let action { result[instrument, default: []].append(action) }
    }
    return result
  }

  /// Adds the closes by which actions say what units were worth that passed on their dates, where
  /// they lie before the market's own.
  static func addCloses(to market: inout Market, on db: isolated Connection) throws {
    var found: [ID<Instrument>: [ClosingPrice]] = [:]
    try db.forEachRow(closeRows) { row in
      let instrument: ID<Instrument> = try row.nextID()
      let close = ClosingPrice(date: try row.nextDay(), price: try row.nextFixed())
      found[instrument, default: []].append(close)
    }
    for (instrument, closes) in found {
      let series = market.closes[instrument] ?? []
      let earlier = closes.filter { close in series.first.map { close.date < $0.date } ?? true }
      market.closes[instrument] = earlier + series
    }
  }

  private static func decode(
    _ row: inout RowReader, _ instruments: [ID<Instrument>: Instrument]
  ) throws -> (instrument: ID<Instrument>, action: CorporateAction?) {
    let id: ID<Instrument> = try row.nextID()
    let exDate = try row.nextDay()
    var terms = CorporateActionTerms(try row.nextWord(), exDate: exDate)
    terms.value = try row.nextFixedOrNil()
    let into = try row.nextInt64OrNil().map { ID<Instrument>($0) }
    terms.portfolio = try row.nextInt64OrNil().map { ID<Portfolio>($0) }
    terms.currency = try row.nextOptionalWord { Currency($0) }
    let (new, old): (Rate?, Rate?) = (try row.nextFixedOrNil(), try row.nextFixedOrNil())
    terms.ratio = new.flatMap { new in old.map { Ratio(new: new, old: $0) } }
    terms.cash = try row.nextFixedOrNil()
    terms.costShare = try row.nextFixedOrNil()
    terms.fractionPrice = try row.nextFixedOrNil()
    terms.cost = try row.nextOptionalWord { CorporateActionTerms.Cost(rawValue: $0) }
    terms.payDate = try row.nextDayOrNil()
    guard let instrument = instruments[id] else { return (id, nil) }
    terms.newInstrument = into.flatMap { instruments[$0] }
    do throws(CorporateActionFault) {
      return (id, try terms.action(of: instrument))
    } catch {
      throw StorageError.rowMakesNoSense(
        table: "corporate_actions",
        row: "\(terms.type.rawValue) of \(instrument.symbol) on \(exDate)", reason: "\(error)")
    }
  }

  private static let actionRows = Statement.once(
    "market-corporate-actions",
    """
    select a.instrument_id, a.ex_date, a.type, a.value, a.new_instrument_id, a.portfolio_id,
      a.currency, a.ratio_new, a.ratio_old, a.cash, a.cost_share,
      a.fraction_price, a.cost, a.pay_date
    from closebell.corporate_actions a where a.status = 'active'
    order by a.instrument_id, a.ex_date, a.type, a.external_id nulls first, a.new_instrument_id,
      a.portfolio_id
    """)

  /// One probe an action that passes units.
  private static let closeRows = Statement.once(
    "market-passing-closes",
    """
    select distinct a.new_instrument_id, c.price_date, c.close
    from closebell.corporate_actions a
    cross join lateral (
      select p.price_date, p.close from closebell.prices p
      where p.instrument_id = a.new_instrument_id and p.price_date <= a.ex_date
      order by p.price_date desc limit 1) c
    where a.new_instrument_id is not null and a.status = 'active'
    order by a.new_instrument_id, c.price_date
    """)
}

extension RowReader {
  /// A word that may be missing.
  fileprivate mutating func nextOptionalWord<Word>(
    _ word: (String) -> Word?
  ) throws -> Word? {
    guard let text = try nextStringOrNil() else { return nil }
    guard let found = word(text) else {
      throw StorageError.unknownWord(column: "\(Word.self)", word: text)
    }
    return found
  }
}
