public import Accounting
public import Postgres

/// Market facts as they stood in one database snapshot.
public struct LoadedMarket: Sendable {
  /// Closes of the window, every exchange rate, every corporate action that was not taken back.
  public var market: Market
  /// The instruments.
  public var instruments: [ID<Instrument>: Instrument]
  /// Exceptions to the calendars' rules: calendar, date, open or not.
  public var calendarOverrides: [ExactText: [Day: Bool]]
  /// The `pg_snapshot` that they were read in.
  public var seen: String
}

/// Reads what is the same for every portfolio, once for all of them.
public enum MarketLoading {
  /// Reads the market for closing dates from `first` through `last`, in one snapshot: that of the
  /// transaction if one is open, which then has to be a repeatable-read one.
  ///
  /// Closes are every one dated in the window and, per instrument, the last one before it.
  public static func market(
    from first: Day, through last: Day, on db: isolated Connection
  ) throws -> LoadedMarket {
    guard !db.isInTransaction else { return try read(from: first, through: last, on: db) }
    return try db.transaction(isolation: .repeatableRead, readOnly: true) { db in
      try read(from: first, through: last, on: db)
    }
  }

  /// The `pg_snapshot` of now, where no input changed since another one; nil where some did.
  public static func unchanged(since seen: String, on db: isolated Connection) throws -> String? {
    try db.row(unchangedSince, seen) { try $0.nextString() }
  }

  private static let unchangedSince = Statement.once(
    "market-unchanged-since",
    """
    select pg_catalog.pg_current_snapshot()::text
    where not exists (select from closebell.input_changes c cross join (
        select $1::text::pg_snapshot as inputs_seen, i.epoch as inputs_epoch
        from closebell.incarnation i) s
      where not c.is_replacement and not \(Staleness.isSeen("c", by: "s")))
    """)

  private static func read(
    from first: Day, through last: Day, on db: isolated Connection
  ) throws -> LoadedMarket {
    guard let seen = try db.row(currentSnapshot, as: { try $0.nextString() }) else {
      throw StorageError.noRow("snapshot")
    }
    let instruments = try instruments(on: db)
    var market = Market(
      closes: try closes(from: first, through: last, on: db),
      actions: try CorporateActionLoading.actions(of: instruments, on: db),
      rates: try rates(on: db))
    if !market.passages.isEmpty { try CorporateActionLoading.addCloses(to: &market, on: db) }
    return LoadedMarket(
      market: market, instruments: instruments, calendarOverrides: try overrides(on: db),
      seen: seen)
  }

  /// Every instrument by its key.
  public static func instruments(
    on db: isolated Connection
  ) throws -> [ID<Instrument>: Instrument] {
    var result: [ID<Instrument>: Instrument] = [:]
    try db.forEachRow(instrumentRows) { row in
      let instrument = Instrument(
        id: try row.nextID(), symbol: try row.nextString(), kind: try row.nextWord(),
        currency: try row.nextCurrency(), multiplier: try row.nextFixed(),
        pricing: try row.nextWord())
      result[instrument.id] = instrument
    }
    return result
  }

  private static func closes(
    from first: Day, through last: Day, on db: isolated Connection
  ) throws -> [ID<Instrument>: [ClosingPrice]] {
    var result: [ID<Instrument>: [ClosingPrice]] = [:]
    try db.forEachRow(closeRows, first.postgres, last.postgres) { row in
      let instrument: ID<Instrument> = try row.nextID()
      let close = ClosingPrice(date: try row.nextDay(), price: try row.nextFixed())
      result[instrument, default: []].append(close)
    }
    return result
  }

  /// Every exchange rate, ascending by date.
  public static func rates(
    on db: isolated Connection
  ) throws -> [CurrencyPair: [DatedRate]] {
    var result: [CurrencyPair: [DatedRate]] = [:]
    try db.forEachRow(rateRows) { row in
      let pair = CurrencyPair(base: try row.nextCurrency(), quote: try row.nextCurrency())
      let rate = DatedRate(date: try row.nextDay(), rate: try row.nextFixed())
      result[pair, default: []].append(rate)
    }
    return result
  }

  /// The exceptions to the calendars' rules: calendar, date, open or not.
  public static func overrides(
    on db: isolated Connection
  ) throws -> [ExactText: [Day: Bool]] {
    var result: [ExactText: [Day: Bool]] = [:]
    try db.forEachRow(overrideRows) { row in
      let calendar = ExactText(try row.nextString())
      result[calendar, default: [:]][try row.nextDay()] = try row.nextBool()
    }
    return result
  }

  private static let currentSnapshot = Statement.once(
    "market-snapshot", "select pg_catalog.pg_current_snapshot()::text")
  private static let instrumentRows = Statement.once(
    "market-instruments",
    """
    select i.id, i.symbol, i.kind, i.currency, i.multiplier, i.pricing
    from closebell.instruments i
    """)
  /// One probe an instrument for the close before the window, then the window's own closes.
  private static let closeRows = Statement.once(
    "market-closes",
    """
    select i.id, c.price_date, c.close
    from closebell.instruments i
    cross join lateral (
      (select p.price_date, p.close from closebell.prices p
       where p.instrument_id = i.id and p.price_date < $1::date
       order by p.price_date desc limit 1)
      union all
      (select p.price_date, p.close from closebell.prices p
       where p.instrument_id = i.id and p.price_date between $1::date and $2::date
       order by p.price_date)) c
    where i.pricing = 'quoted'
    order by i.id, c.price_date
    """)
  private static let rateRows = Statement.once(
    "market-rates",
    """
    select r.base, r.quote, r.rate_date, r.rate
    from closebell.fx_rates r order by r.base, r.quote, r.rate_date
    """)
  private static let overrideRows = Statement.once(
    "market-calendar-overrides",
    "select o.calendar, o.day, o.is_open from closebell.calendar_overrides o")
}
