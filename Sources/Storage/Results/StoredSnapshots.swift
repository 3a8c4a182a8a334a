public import Accounting
public import Postgres

/// A row of `portfolio_snapshots` as it stands.
public struct StoredSnapshot: Sendable {
  /// The slot.
  public var slot: Slot
  /// How often it was closed again.
  public var revision: Int32
  /// The revision of the snapshot that it opened from.
  public var openedFromRevision: Int32?
  /// The run that wrote it.
  public var run: Int64?
  /// Whether an input changed after it was computed.
  public var isStale: Bool
  /// The numbers.
  public var snapshot: Snapshot
  /// The column of that name; `snapshot` has it from its parts.
  public var netExternalFlow: Money
  /// The digest of its inputs; nil for a row from before there were any.
  public var fingerprint: Fingerprint?
  /// How many rows of what is not paid yet there are.
  public var receivableCount: Int16 = 0
  /// The policy that it was closed under; nil for a row from before that was kept.
  public var keptPolicy: ClosePolicy?

  /// The policy that it was closed under, or one that fits what it says.
  public var policy: ClosePolicy {
    keptPolicy
      ?? ClosePolicy(
        fitting: snapshot.isDegraded, oldest: snapshot.maxCarriedDays,
        missing: snapshot.missingCount)
  }
}

/// A stored money-weighted return.
public struct StoredIRR: Sendable {
  /// The slot.
  public var slot: Slot
  /// The holding; nil for the portfolio's own.
  public var holding: ID<Holding>?
  /// The value and what it is worth.
  public var result: IRRResult
  /// How it is annualised.
  public var convention: IRRConvention
}

/// Reads of complete slots, for showing, exporting and comparing.
public enum StoredSnapshots {
  /// Those of some slots that are complete, in no particular order.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func read(
    _ slots: [Slot], on db: isolated Connection
  ) throws -> [StoredSnapshot] {
    let spans = LoadSpans(slots)
    return try db.rows(
      rowsOfSlots, spans.dates, spans.firsts, spans.lasts, as: { try decode(&$0) })
  }

  /// The fingerprints of those of these slots that are complete and have one.
  public static func fingerprints(
    of slots: [Slot], on db: isolated Connection
  ) throws -> [Slot: Fingerprint] {
    let pairs = try db.rows(
      fingerprintRows, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres)
    ) { (try $0.nextSlot(), try $0.nextFingerprintOrNil()) }
    return try Dictionary(snapshots: pairs).compactMapValues { $0 }
  }

  /// What a slot's row says about its state, complete or not: nil where there is no row.
  public static func state(
    of slot: Slot, on db: isolated Connection
  ) throws -> (state: String, error: String?)? {
    try db.row(stateRow, slot.portfolio.rawValue, slot.date.postgres) {
      (try $0.nextString(), try $0.nextOptional(String.self))
    }
  }

  /// The money-weighted returns of the holdings of some slots, ascending by date, portfolio,
  /// holding.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func holdingIRRs(
    _ slots: [Slot], on db: isolated Connection
  ) throws -> [StoredIRR] {
    let spans = LoadSpans(slots)
    return Loading.ascending(
      try db.rows(
        holdingReturnsOfSlots, spans.dates, spans.firsts, spans.lasts, as: decodeHoldingReturn)
    ) {
      ($0.slot.date, $0.slot.portfolio, $0.holding?.rawValue ?? 0)
        < ($1.slot.date, $1.slot.portfolio, $1.holding?.rawValue ?? 0)
    }
  }

  /// The money-weighted returns of the portfolios of some slots.
  ///
  /// - Parameter slots: Ascending by date, then portfolio.
  public static func portfolioIRRs(
    _ slots: [Slot], on db: isolated Connection
  ) throws -> [StoredIRR] {
    let spans = LoadSpans(slots)
    return try db.rows(
      portfolioReturnsOfSlots, spans.dates, spans.firsts, spans.lasts,
      as: decodePortfolioReturn)
  }

  private static func decodeHoldingReturn(_ row: inout RowReader) throws -> StoredIRR {
    let slot = try row.nextSlot()
    return StoredIRR(
      slot: slot, holding: try row.nextID(), result: try result(&row),
      convention: try row.nextWord())
  }

  private static func decodePortfolioReturn(_ row: inout RowReader) throws -> StoredIRR {
    let slot = try row.nextSlot()
    return StoredIRR(
      slot: slot, holding: nil, result: try result(&row), convention: try row.nextWord())
  }

  private static func result(_ row: inout RowReader) throws -> IRRResult {
    let rate = try row.nextDoubleOrNil()
    let logGrowth = try row.nextDoubleOrNil()
    let roots = Int(try row.next(Int16.self))
    return IRRResult(
      stored: try row.nextWord(), logGrowth: logGrowth, rate: rate, roots: roots)
  }

  private static func decode(_ row: inout RowReader) throws -> StoredSnapshot {
    let slot = try row.nextSlot()
    let openedFrom = try row.nextDayOrNil()
    let revision = try row.nextInt32()
    let openedFromRevision = try row.nextOptional(Int32.self)
    let run = try row.nextInt64OrNil()
    let isStale = try row.nextBool()
    let opening: Money = try row.nextFixed()
    let inflow: Money = try row.nextFixed()
    let outflow: Money = try row.nextFixed()
    let dailyPnL: Money = try row.nextFixed()
    var attribution = Attribution()
    attribution.realized = try row.nextFixed()
    attribution.unrealizedChange = try row.nextFixed()
    let unrealizedPnL: Money = try row.nextFixed()
    attribution.income = try row.nextFixed()
    attribution.fees = try row.nextFixed()
    attribution.taxes = try row.nextFixed()
    attribution.fx = try row.nextFixed()
    attribution.priorPeriod = try row.nextFixed()
    var snapshot = Snapshot(
      date: slot.date, openedFrom: openedFrom, openingEquity: opening, inflow: inflow,
      outflow: outflow, dailyPnL: dailyPnL, attribution: attribution,
      unrealizedPnL: unrealizedPnL, closingEquity: try row.nextFixed(),
      cash: try row.nextFixed(), longValue: try row.nextFixed(), shortValue: try row.nextFixed(),
      grossExposure: try row.nextFixed(), netExposure: try row.nextFixed(),
      dailyReturn: try row.nextDoubleOrNil(), index: try row.nextDouble(),
      indexSince: try row.nextDay(), cumulativePnL: try row.nextFixed(),
      pricedCount: Int(try row.nextInt32()), carriedCount: Int(try row.nextInt32()),
      missingCount: Int(try row.nextInt32()), maxCarriedDays: Int(try row.nextInt32()),
      isDegraded: try row.nextBool())
    let netExternalFlow: Money = try row.nextFixed()
    let fingerprint = try row.nextFingerprintOrNil()
    let keptPolicy = try row.nextPolicyOrNil()
    snapshot.receivables = try row.nextFixed()
    return StoredSnapshot(
      slot: slot, revision: revision, openedFromRevision: openedFromRevision, run: run,
      isStale: isStale, snapshot: snapshot, netExternalFlow: netExternalFlow,
      fingerprint: fingerprint, receivableCount: try row.next(Int16.self), keptPolicy: keptPolicy)
  }

  private static let columns = """
    s.portfolio_id, s.snapshot_date, s.opened_from_date, s.revision,
    s.opened_from_revision, s.run_id, \(Staleness.isStale("s")),
    s.opening_equity, s.inflow, s.outflow, s.daily_pnl, s.realized_pnl, s.unrealized_change,
    s.unrealized_pnl, s.income, s.fees, s.taxes, s.fx_pnl, s.prior_period_adjustment,
    s.closing_equity, s.cash, s.long_value, s.short_value, s.gross_exposure, s.net_exposure,
    s.daily_return, s.return_index, s.index_since, s.cumulative_pnl, s.priced_count,
    s.carried_count, s.missing_count, s.max_carried_days, s.is_degraded, s.net_external_flow,
    s.fingerprint, s.carried_days_allowed, coalesce(s.receivables, 0),
    coalesce(s.receivable_count, 0::smallint)
    """
  private static let rowsOfSlots = Statement(
    "snapshots-read-slots",
    """
    select \(columns)
    from \(LoadSpans.rows(
      of: "portfolio_snapshots", on: "snapshot_date", as: "s", where: "r.is_complete"))
    """)
  private static let fingerprintRows = Statement(
    "snapshots-fingerprints",
    """
    select s.portfolio_id, s.snapshot_date, s.fingerprint
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, slot_date)
    cross join lateral (select r.* from closebell.portfolio_snapshots r
      where r.snapshot_date = c.slot_date and r.portfolio_id = c.portfolio_id and r.is_complete
      offset 0) s
    """)
  private static let stateRow = Statement(
    "snapshots-state",
    """
    select s.state, s.error from closebell.portfolio_snapshots s
    where s.portfolio_id = $1::bigint and s.snapshot_date = $2::date
    """)
  private static let resultColumns = "r.irr_result, r.log_growth, r.roots, r.status, r.convention"
  private static let holdingReturnsOfSlots = Statement(
    "snapshots-holding-returns-of-slots",
    """
    select r.portfolio_id, r.date, r.fund_id, \(resultColumns)
    from \(LoadSpans.rows(of: "portfolio_fund_irr_values", on: "date", as: "r"))
    """)
  private static let portfolioReturnsOfSlots = Statement(
    "snapshots-portfolio-returns-of-slots",
    """
    select r.portfolio_id, r.date, \(resultColumns)
    from \(LoadSpans.rows(of: "portfolio_irr_values", on: "date", as: "r"))
    """)
}
