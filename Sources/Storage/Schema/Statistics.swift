public import Postgres

/// What the planner knows of the inputs.
public enum Statistics {
  /// Lets the planner look at the input tables again, after much was put into them.
  ///
  /// Without it a close right after a first import would be planned for empty tables; autovacuum
  /// comes to the same a minute later. Tables of another owner are passed over by the server.
  public static func refreshInputs(on db: isolated Connection) throws {
    try db.execute(
      sql: """
        analyze closebell.holding_activity_log, closebell.portfolio_funds, closebell.prices,
          closebell.portfolios, closebell.instruments
        """)
  }
}
