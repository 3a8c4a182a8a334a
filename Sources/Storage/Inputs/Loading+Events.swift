public import Accounting
public import Postgres

/// What a portfolio has earned at a close and is not paid yet.
public struct StoredReceivable: Sendable {
  /// The close.
  public var slot: Slot
  /// The amount.
  public var receivable: Receivable
}

/// A holding of a portfolio, by what it holds.
public struct StoredFund: Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The holding.
  public var holding: ID<Holding>
  /// What is held.
  public var instrument: ID<Instrument>
}

/// What only books need to which corporate actions happened: a statement each, where there is any.
extension Loading {
  /// What was not paid yet at some closes, ascending by date, portfolio, pay date, currency.
  public static func receivables(
    at slots: [Slot], on db: isolated Connection
  ) throws -> [StoredReceivable] {
    try db.rows(
      receivableRows, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres)
    ) {
      StoredReceivable(
        slot: try $0.nextSlot(),
        receivable: Receivable(
          payDate: try $0.nextDay(), currency: try $0.nextCurrency(),
          amount: try $0.nextFixed(), baseValue: try $0.nextFixed()))
    }
  }

  /// The holdings of some instruments in some portfolios, for those pairs that there are.
  public static func funds(
    of pairs: [(portfolio: ID<Portfolio>, instrument: ID<Instrument>)],
    on db: isolated Connection
  ) throws -> [StoredFund] {
    try db.rows(
      fundRows, pairs.map(\.portfolio.rawValue), pairs.map(\.instrument.rawValue)
    ) {
      StoredFund(portfolio: try $0.nextID(), holding: try $0.nextID(), instrument: try $0.nextID())
    }
  }

  static let receivableRows = Statement(
    "load-receivables",
    """
    select r.portfolio_id, r.balance_date, r.pay_date, r.currency, r.amount, r.base_value
    from unnest($1::bigint[], $2::date[]) as o (portfolio_id, day)
    cross join lateral (
      select b.* from closebell.portfolio_receivables b
      where b.balance_date = o.day and b.portfolio_id = o.portfolio_id offset 0) r
    order by r.balance_date, r.portfolio_id, r.pay_date, r.currency
    """)

  static let fundRows = Statement(
    "load-funds",
    """
    select f.portfolio_id, f.id, f.instrument_id
    from unnest($1::bigint[], $2::bigint[]) as o (portfolio_id, instrument_id)
    cross join lateral (
      select h.* from closebell.portfolio_funds h
      where h.portfolio_id = o.portfolio_id and h.instrument_id = o.instrument_id offset 0) f
    """)
}
