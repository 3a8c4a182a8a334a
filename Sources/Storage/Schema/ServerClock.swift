public import Accounting
public import Postgres

/// The clock that decides which dates are over: the server's, since each client has its own.
public struct ServerClock: Sendable {
  /// Seconds since 2000-01-01 00:00 UTC.
  public let now: Int64
  /// How many seconds the client's clock is ahead of it, behind it where negative; what the
  /// question itself took is no difference.
  public let clientAhead: Int64

  /// Clocks that differ by more than so many seconds were not set by one another.
  public static let tolerance: Int64 = 120

  /// Asks the server.
  ///
  /// - Parameter client: The client's own clock, in seconds since 2000-01-01 00:00 UTC.
  public init(beside client: () -> Int64, on db: isolated Connection) throws {
    let before = client()
    guard let now = try db.row(Self.ask, as: { try $0.nextInt64() }) else {
      throw StorageError.noRow("clock")
    }
    let after = client()
    self.now = now
    clientAhead = before > now ? before - now : after < now ? after - now : 0
  }

  /// The calendar date, UTC.
  public var today: Day {
    let (days, rest) = now.quotientAndRemainder(dividingBy: 86_400)
    return Day(number: Int32(rest < 0 ? days - 1 : days))
  }

  /// Whether the client's clock is another one.
  public var differs: Bool { clientAhead.magnitude > Self.tolerance.magnitude }

  private static let ask = Statement.once(
    "clock",
    """
    select pg_catalog.floor(extract(epoch from
      pg_catalog.clock_timestamp() - timestamptz '2000-01-01 00:00:00+00'))::bigint
    """)
}
