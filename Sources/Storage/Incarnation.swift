public import Postgres

/// Which database's transaction numbers count.
///
/// Whether a slot saw a change of its inputs is told by PostgreSQL's transaction numbers. They do
/// not travel with a dump: the database it is restored into counts its own. So each such database
/// is an epoch, and whoever is going to write begins a new one where the server is not the one that
/// the last epoch began on.
public enum Incarnation {
  /// Begins a new epoch if the database was moved to another server by a dump, or upgraded.
  ///
  /// - Returns: The new epoch; nil where none was needed, or where the role may not see which
  ///   server it is.
  @discardableResult
  public static func begin(on db: isolated Connection) throws -> Int? {
    guard try db.row(mayAsk, as: { try $0.nextBool() }) == true,
      try db.row(isElsewhere, as: { try $0.nextBool() }) == true
    else { return nil }
    return try db.row(next) { (try $0.nextBool(), Int(try $0.nextInt32())) }
      .flatMap { isNew, epoch in isNew ? epoch : nil }
  }

  private static let mayAsk = Statement.once(
    "incarnation-may-ask",
    """
    select pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute')
    """)
  private static let isElsewhere = Statement.once(
    "incarnation-is-elsewhere",
    """
    select exists (select from pg_catalog.pg_control_system() s, closebell.incarnation i
      where s.system_identifier is distinct from i.system_identifier)
    """)
  private static let next = Statement.once(
    "incarnation-next",
    """
    update closebell.incarnation i
    set epoch = i.epoch + (o.system_identifier is not null)::integer,
      system_identifier = s.system_identifier, begun_at = pg_catalog.clock_timestamp()
    from pg_catalog.pg_control_system() s, closebell.incarnation o
    where s.system_identifier is distinct from i.system_identifier
    returning o.system_identifier is not null, i.epoch
    """)
}
