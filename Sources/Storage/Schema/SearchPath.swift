public import Postgres

/// What people who query by hand see without a schema's name.
public enum SearchPath {
  /// Puts our schema last on the database's search_path; sessions of our own do not depend on it.
  public static func set(on db: isolated Connection) throws {
    try db.execute(
      sql: """
        do $$ begin
          execute pg_catalog.format(
            'alter database %I set search_path = "$user", public, closebell',
            pg_catalog.current_database());
        end $$
        """)
  }
}
