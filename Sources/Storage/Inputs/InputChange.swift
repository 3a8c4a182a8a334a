public import Accounting
public import Postgres

/// Rows of the inputs that changed, and the first date that they concern: the only way to say so.
///
/// What is said is two things in one statement, about the same portfolios: closed dates from there
/// on are stale (`input_changes`), and what was kept of flows up to such a date is forgotten
/// (`portfolio_irr_moments`). A date that is locked is not closed again; what is kept of its flows
/// is forgotten all the same, since the dates behind it rest on them.
public struct InputChange: Sendable {
  /// Whose inputs changed, as keys of their tables; a key may stand more than once.
  public enum Scope: Sendable {
    /// Activities, statements or terms of portfolios.
    case portfolios([Int64])
    /// Closes, corporate actions or terms of instruments.
    case instruments([Int64])
    /// Exchange rates of currencies.
    case currencies([String])
    /// Open days of calendars.
    case calendars([String])
  }

  /// Whose inputs changed.
  public private(set) var scope: Scope
  /// The first date that the change concerns.
  public private(set) var from: Day

  /// A change of inputs from a date on.
  public init(_ scope: Scope, from: Day) {
    self.scope = scope
    self.from = from
  }

  /// Takes another change of the same table in: both from the earlier date on.
  public mutating func join(_ other: InputChange) {
    from = min(from, other.from)
    switch (scope, other.scope) {
    case (.portfolios(let one), .portfolios(let two)): scope = .portfolios(Self.union(one, two))
    case (.instruments(let one), .instruments(let two)): scope = .instruments(Self.union(one, two))
    case (.currencies(let one), .currencies(let two)): scope = .currencies(one + two)
    case (.calendars(let one), .calendars(let two)): scope = .calendars(one + two)
    default: preconditionFailure("a file changes one table")
    }
  }

  private static func union(_ one: [Int64], _ two: [Int64]) -> [Int64] {
    Set(one).union(two).sorted()
  }

  /// Marks what the change makes stale, and forgets what was kept of it; last in the transaction
  /// that wrote the rows, since from here to its commit no night keeps moments.
  ///
  /// A night that writes meanwhile is waited for, or waits: either its moments are there to be
  /// forgotten, or it finds the change and keeps none (`IRRMoments`).
  public func record(on db: isolated Connection) throws {
    try IRRMoments.exclude(on: db)
    switch scope {
    case .portfolios(let keys): _ = try db.execute(Self.ofPortfolios, from.postgres, keys)
    case .instruments(let keys): _ = try db.execute(Self.ofInstruments, from.postgres, keys)
    case .currencies(let keys): _ = try db.execute(Self.ofCurrencies, from.postgres, keys)
    case .calendars(let keys): _ = try db.execute(Self.ofCalendars, from.postgres, keys)
    }
  }

  /// Marks portfolios whose snapshots were replaced from a date on.
  ///
  /// Flows rest on the log and the market, not on snapshots: nothing that was kept is wrong.
  static func markReplaced(
    _ portfolios: [ID<Portfolio>], from date: Day, on db: isolated Connection
  ) throws {
    _ = try db.execute(markOnly, date.postgres, portfolios.map(\.rawValue).sorted())
  }

  // MARK: - SQL

  /// Each kind of keys: the column of `input_changes`, and SQL that is true where the portfolio
  /// with an id is concerned by the keys of an array.
  private static func isOfPortfolio(_ id: String, _ keys: String) -> String {
    "\(id) = any(\(keys))"
  }
  private static func holds(_ id: String, _ instruments: String) -> String {
    """
    exists (select from closebell.portfolio_funds f
      where f.portfolio_id = \(id) and f.instrument_id = any(\(instruments)))
    """
  }
  private static func converts(_ id: String, _ currencies: String) -> String {
    """
    exists (select from closebell.portfolios p
      where p.id = \(id) and (p.base_currency = any(\(currencies))
        or p.cash = 'per_currency' or exists (
          select from closebell.holding_activity_log a
          where a.portfolio_id = p.id and a.currency = any(\(currencies))
            and a.currency <> p.base_currency)
        or exists (
          select from closebell.portfolio_funds f
          join closebell.instruments i on i.id = f.instrument_id
          where f.portfolio_id = p.id and i.currency = any(\(currencies))
            and i.currency <> p.base_currency)
        or exists (
          select from closebell.portfolio_funds f
          join closebell.corporate_actions a on a.instrument_id = f.instrument_id
          where f.portfolio_id = p.id and a.currency = any(\(currencies)))))
    """
  }
  private static func follows(_ id: String, _ calendars: String) -> String {
    """
    exists (select from closebell.portfolios p
      where p.id = \(id) and p.calendar = any(\(calendars)))
    """
  }

  /// SQL that is true where a row `c` of `input_changes` concerns the portfolio with an id, from
  /// whichever date on.
  static func concerns(_ portfolio: String) -> String {
    """
    (\(isOfPortfolio(portfolio, "c.portfolio_ids"))
      or c.instrument_ids is not null and \(holds(portfolio, "c.instrument_ids"))
      or c.currencies is not null and \(converts(portfolio, "c.currencies"))
      or c.calendars is not null and \(follows(portfolio, "c.calendars")))
    """
  }

  /// Moments stand at a date that was closed: where nothing is as late as the change, as on the
  /// evening of a date whose closes arrive, their table is not looked at.
  private static func recording(
    _ column: String, _ type: String, _ isConcerned: (String, String) -> String
  ) -> Statement {
    Statement(
      "input-changes-\(column)",
      """
      with marked as (
        insert into closebell.input_changes (from_date, \(column)) values ($1::date, $2::\(type)[])
      )
      delete from closebell.portfolio_irr_moments m
      where $1::date <= (select max(s.snapshot_date) from closebell.portfolio_snapshots s)
        and m.as_of >= $1::date and \(isConcerned("m.portfolio_id", "$2::\(type)[]"))
      """)
  }

  static let ofPortfolios = recording("portfolio_ids", "bigint", isOfPortfolio)
  static let ofInstruments = recording("instrument_ids", "bigint", holds)
  static let ofCurrencies = recording("currencies", "text", converts)
  static let ofCalendars = recording("calendars", "text", follows)

  private static let markOnly = Statement(
    "input-changes-replaced",
    """
    insert into closebell.input_changes (from_date, portfolio_ids, is_replacement)
    values ($1::date, $2::bigint[], true)
    """)
}
