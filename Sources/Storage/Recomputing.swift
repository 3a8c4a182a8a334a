public import Postgres

/// What a session that only reads the books needs.
public enum Recomputing {
  /// Settles how the session's statements are planned, and lets it write nothing; needed once a
  /// connection.
  public static func prepare(on db: isolated Connection) throws {
    try db.execute(
      sql: """
        set plan_cache_mode = force_custom_plan; set jit = off;
        set default_transaction_read_only = on
        """)
  }
}
