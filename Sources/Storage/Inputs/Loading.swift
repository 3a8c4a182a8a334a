public import Accounting
public import Postgres

/// Where a portfolio's segment begins: the snapshot to open from and the last date to close.
public struct LoadRange: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The date of the snapshot that the first slot opens from; nil for a first snapshot.
  public var openedFrom: Day?
  /// The last date that is going to be closed.
  public var through: Day

  /// The range (openedFrom, through].
  public init(portfolio: ID<Portfolio>, openedFrom: Day?, through: Day) {
    self.portfolio = portfolio
    self.openedFrom = openedFrom
    self.through = through
  }
}

/// What a portfolio's previous snapshot says that the next one needs.
public struct StoredOpening: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The snapshot's date.
  public var date: Day
  /// How often it was closed again; a later slot remembers which revision it opened from.
  public var revision: Int32
  /// Equity at its close.
  public var closingEquity: Money
  /// Cash in base currency.
  public var cash: Money
  /// Linked growth of 1 since `indexSince`.
  public var index: Double
  /// The close that the index counts from.
  public var indexSince: Day
  /// Σ daily P&L so far.
  public var cumulativePnL: Money
  /// The digest of its inputs; nil for a row from before there were any.
  public var fingerprint: Fingerprint?
  /// How many rows of what is not paid yet it has.
  public var receivableCount: Int16 = 0
}

/// A row of `portfolio_fund_valuations`, with the instrument that is held.
public struct StoredHolding: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The date of the row.
  public var date: Day
  /// The holding.
  public var holding: ID<Holding>
  /// What is held.
  public var instrument: ID<Instrument>
  /// The close that valued it, if one did.
  public var price: Price?
  /// The date of that close, or of the last statement.
  public var priceDate: Day?
  /// Signed units.
  public var quantity: Quantity
  /// Market value in base currency.
  public var marketValue: Money
  /// Cost of the open lots in base currency.
  public var costBasis: Money
  /// P&L of the date.
  public var dailyPnL: Money
  /// Level of unrealized P&L without currency effects.
  public var unrealized: Money
  /// Market value in the instrument's currency.
  public var localValue: Money
  /// Cost of the open lots in the instrument's currency.
  public var localCost: Money
  /// The date's realized P&L, income, fees and taxes; none where the row was read to open from.
  public var attribution = Attribution()
}

/// An activity and whom it belongs to.
public struct StoredActivity: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// What the holding holds; nil for cash alone.
  public var instrument: ID<Instrument>?
  /// The row of the log.
  public var activity: Activity
  /// The last close on or before the activity, as published; only where it needs one.
  public var reference: ClosingPrice?
}

/// A statement of a valued holding.
public struct StoredStatement: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The holding.
  public var holding: ID<Holding>
  /// What is held.
  public var instrument: ID<Instrument>
  /// The date of the statement.
  public var date: Day
  /// Value after all flows of that date, in the instrument's currency.
  public var value: Money
}

/// A portfolio's cash balance of one currency at a close.
public struct StoredCashBalance: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The balance.
  public var balance: CashBalance
}

/// The packed moments of a portfolio's flows; see `portfolio_irr_moments`.
public struct StoredMoments: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// All flows up to and with this date are in.
  public var asOf: Day
  /// The packed series.
  public var bytes: [UInt8]

  /// The moments of all flows up to and with a date.
  public init(portfolio: ID<Portfolio>, asOf: Day, bytes: [UInt8]) {
    self.portfolio = portfolio
    self.asOf = asOf
    self.bytes = bytes
  }
}

/// Reads of a chunk's inputs: one statement each, whatever the number of portfolios, or two where
/// some are read by day and others one by one; a portfolio's rows stand together, ascending by date
/// or holding.
///
/// Openings, holdings, activities, statements, moments, and what stands at a close may bring rows
/// of portfolios that were not asked for; see `LoadSpans`. Meant to run inside one repeatable-read
/// transaction.
public enum Loading {
  /// The snapshots to open from.
  public static func openings(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredOpening] {
    let spans = LoadSpans(ranges)
    return try db.rows(openingRows, spans.dates, spans.firsts, spans.lasts) {
      StoredOpening(
        portfolio: try $0.nextID(), date: try $0.nextDay(), revision: try $0.nextInt32(),
        closingEquity: try $0.nextFixed(), cash: try $0.nextFixed(), index: try $0.nextDouble(),
        indexSince: try $0.nextDay(), cumulativePnL: try $0.nextFixed(),
        fingerprint: try $0.nextFingerprintOrNil(), receivableCount: try $0.next(Int16.self))
    }
  }

  /// The holdings at those snapshots.
  public static func holdings(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredHolding] {
    let spans = LoadSpans(ranges)
    let rows = try db.rows(
      holdingRows, spans.dates, spans.firsts, spans.lasts, as: decodeHolding)
    return ascending(rows) { ($0.portfolio, $0.holding) < ($1.portfolio, $1.holding) }
  }

  /// The holdings of some slots with their attribution, ascending by date, portfolio, holding.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func holdings(
    at slots: [Slot], on db: isolated Connection
  ) throws -> [StoredHolding] {
    let spans = LoadSpans(slots)
    let rows = try db.rows(holdingRowsOfSlots, spans.dates, spans.firsts, spans.lasts) {
      var row = try decodeHolding(&$0)
      row.attribution.realized = try $0.nextFixed()
      row.attribution.income = try $0.nextFixed()
      row.attribution.fees = try $0.nextFixed()
      row.attribution.taxes = try $0.nextFixed()
      return row
    }
    return ascending(rows) {
      ($0.date, $0.portfolio, $0.holding) < ($1.date, $1.portfolio, $1.holding)
    }
  }

  /// The cash balances of some slots, ascending by currency in each.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func cashBalances(
    at slots: [Slot], on db: isolated Connection
  ) throws -> [(slot: Slot, balance: CashBalance)] {
    let spans = LoadSpans(slots)
    let rows = try db.rows(cashRowsOfSlots, spans.dates, spans.firsts, spans.lasts) {
      (
        slot: try $0.nextSlot(),
        balance: CashBalance(
          currency: try $0.nextCurrency(), balance: try $0.nextFixed(),
          baseValue: try $0.nextFixed())
      )
    }
    return ascending(rows) { $0.balance.currency < $1.balance.currency }
  }

  /// The cash balances at those snapshots, of portfolios that keep one per currency.
  public static func cashBalances(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredCashBalance] {
    let opened = ranges.compactMap { range in range.openedFrom.map { (range.portfolio, $0) } }
    return try db.rows(cashRows, opened.map(\.0.rawValue), opened.map(\.1.postgres)) {
      StoredCashBalance(
        portfolio: try $0.nextID(),
        balance: CashBalance(
          currency: try $0.nextCurrency(), balance: try $0.nextFixed(),
          baseValue: try $0.nextFixed()))
    }
  }

  /// The active rows of the activity log booked in each range, in the order of booking.
  public static func activities(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredActivity] {
    let rows = try rows(
      ranges, byDay: activityRowsOfDays, byPortfolio: activityRows, on: db, as: decodeActivity)
    return ascending(rows) { one, other in
      if one.portfolio != other.portfolio { return one.portfolio < other.portfolio }
      let (one, other) = (one.activity, other.activity)
      return (one.bookingDate, one.date, one.id) < (other.bookingDate, other.date, other.id)
    }
  }

  /// Rows of a table in which a day has few: a walk a day for each run of portfolios, or a look-up
  /// a portfolio, whichever is less.
  private static func rows<Row: Sendable>(
    _ ranges: [LoadRange], byDay: Statement, byPortfolio: Statement, on db: isolated Connection,
    as decode: (inout RowReader) throws -> Row
  ) throws -> [Row] {
    let (days, others) = LoadSpans.days(of: ranges)
    func ofOthers() throws -> [Row] {
      try db.rows(
        byPortfolio, others.map(\.portfolio.rawValue),
        others.map { ($0.openedFrom ?? .earliest - 1).postgres }, others.map(\.through.postgres),
        as: decode)
    }
    // A first close's histories are large: they are not added to anything, which would copy them.
    if days.dates.isEmpty { return others.isEmpty ? [] : try ofOthers() }
    let ofDays = try db.rows(byDay, days.dates, days.firsts, days.lasts, as: decode)
    return others.isEmpty ? ofDays : try ofDays + ofOthers()
  }

  /// Rows that the server most likely gave in their order.
  static func ascending<Row>(_ rows: [Row], by isBefore: (Row, Row) -> Bool) -> [Row] {
    let isAscending = !rows.indices.dropFirst().contains { isBefore(rows[$0], rows[$0 - 1]) }
    return isAscending ? rows : rows.sorted(by: isBefore)
  }

  /// The whole history of some holdings, each booked up to and with its own date.
  public static func history(
    of holdings: [(holding: ID<Holding>, through: Day)], on db: isolated Connection
  ) throws -> [StoredActivity] {
    try db.rows(
      historyRows, holdings.map(\.holding.rawValue), holdings.map(\.through.postgres),
      as: decodeActivity)
  }

  /// The activities that are external flows of some portfolios, from the first on, in the order
  /// of booking.
  public static func externalFlows(
    of portfolios: [ID<Portfolio>], through: Day, on db: isolated Connection
  ) throws -> [StoredActivity] {
    try db.rows(externalRows, portfolios.map(\.rawValue), through.postgres, as: decodeActivity)
  }

  /// The `fee` activities of a portfolio that it paid in cash, up to and with a date.
  ///
  /// A valued holding's fees are inside the fund; a trade's fee stands in the trade's own row.
  public static func fees(
    of portfolio: ID<Portfolio>, through: Day, on db: isolated Connection
  ) throws -> [StoredActivity] {
    try db.rows(feeRows, portfolio.rawValue, through.postgres, as: decodeActivity)
  }

  /// The statements of valued holdings dated in each range.
  public static func statements(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredStatement] {
    let rows = try rows(
      ranges, byDay: statementRowsOfDays, byPortfolio: statementRows, on: db, as: decodeStatement)
    return ascending(rows) {
      ($0.portfolio, $0.date, $0.holding) < ($1.portfolio, $1.date, $1.holding)
    }
  }

  /// The dates of the last statements of some holdings, each on or before a date, for those that
  /// have one.
  public static func statementDates(
    of holdings: [(portfolio: ID<Portfolio>, holding: ID<Holding>, through: Day)],
    on db: isolated Connection
  ) throws -> [(holding: ID<Holding>, date: Day)] {
    try db.rows(
      statementDateRows, holdings.map(\.portfolio.rawValue), holdings.map(\.holding.rawValue),
      holdings.map(\.through.postgres)
    ) { (try $0.nextID(), try $0.nextDay()) }
  }

  /// The packed moments of the portfolios that have them.
  public static func moments(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [StoredMoments] {
    let spans = LoadSpans(ranges)
    return try db.rows(momentRows, spans.dates, spans.firsts, spans.lasts) {
      StoredMoments(
        portfolio: try $0.nextID(), asOf: try $0.nextDay(), bytes: try $0.nextBytes())
    }
  }

  private static func decodeHolding(_ row: inout RowReader) throws -> StoredHolding {
    let portfolio: ID<Portfolio> = try row.nextID()
    let date = try row.nextDay()
    let holding: ID<Holding> = try row.nextID()
    let instrument: ID<Instrument> = try row.nextID()
    let priceDate = try row.nextDayOrNil()
    let quantity: Quantity = try row.nextFixed()
    let price: Price? = try row.nextFixedOrNil()
    let marketValue: Money = try row.nextFixed()
    let costBasis: Money = try row.nextFixed()
    let dailyPnL: Money = try row.nextFixed()
    let unrealized: Money? = try row.nextFixedOrNil()
    let localValue: Money? = try row.nextFixedOrNil()
    let localCost: Money? = try row.nextFixedOrNil()
    return StoredHolding(
      portfolio: portfolio, date: date, holding: holding, instrument: instrument, price: price,
      priceDate: priceDate, quantity: quantity, marketValue: marketValue, costBasis: costBasis,
      dailyPnL: dailyPnL, unrealized: unrealized ?? marketValue - costBasis,
      localValue: localValue ?? marketValue, localCost: localCost ?? costBasis)
  }

  private static func decodeStatement(_ row: inout RowReader) throws -> StoredStatement {
    StoredStatement(
      portfolio: try row.nextID(), holding: try row.nextID(), instrument: try row.nextID(),
      date: try row.nextDay(), value: try row.nextFixed())
  }

  private static func decodeActivity(_ row: inout RowReader) throws -> StoredActivity {
    let portfolio: ID<Portfolio> = try row.nextID()
    let instrument = try row.nextInt64OrNil().map { ID<Instrument>($0) }
    let id = try row.nextInt64()
    let date = try row.nextDay()
    let type: ActivityType = try row.nextWord()
    let holding = try row.nextInt64OrNil().map { ID<Holding>($0) }
    var activity = Activity(
      id: id, date: date, type: type, holding: holding, quantity: try row.nextFixedOrNil(),
      price: try row.nextFixedOrNil(), amount: try row.nextFixedOrNil(),
      fee: try row.nextFixed(), currency: try row.nextCurrency(),
      acquired: try row.nextDayOrNil(), bookedOn: try row.nextDayOrNil())
    let closeDate = try row.nextDayOrNil()
    let close: Price? = try row.nextFixedOrNil()
    activity.payDate = try row.nextDayOrNil()
    let reference = closeDate.flatMap { date in close.map { ClosingPrice(date: date, price: $0) } }
    return StoredActivity(
      portfolio: portfolio, instrument: instrument, activity: activity, reference: reference)
  }
}
