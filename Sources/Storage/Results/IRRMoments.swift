internal import Accounting
internal import Postgres

/// What nights keep of flows, so that the next one need not read them: one row a portfolio.
///
/// A row that is there agrees with every input change that is there. Whoever records a change holds
/// the table alone until it commits (`InputChange`), and whoever writes it holds it with others: so
/// a change finds all rows that were written before it, and a writer all changes that were recorded
/// before it. The lock is the table's own, which nobody who writes the table can do without.
enum IRRMoments {
  /// Waits for everybody who writes the table, and keeps others from it until the transaction ends;
  /// seen from the next statement on.
  ///
  /// Who reads it waits for nobody.
  static func exclude(on db: isolated Connection) throws {
    _ = try db.execute(lock)
  }

  /// Keeps moments for the next night, or forgets what is kept of portfolios whose moments cannot
  /// be: older ones would lack what was booked since.
  ///
  /// They cannot where some input changed that the computation had not seen, nor where a later
  /// close opens from theirs: what was booked on it would be missing.
  ///
  /// - Parameter inputsSeen: The `pg_snapshot` of the oldest inputs that they were computed from.
  static func keep(
    _ moments: [StoredMoments], inputsSeen: String, on db: isolated Connection
  ) throws {
    _ = try db.execute(
      upsert, moments.map(\.portfolio.rawValue), moments.map(\.asOf.postgres),
      moments.map { Bytes($0.bytes) }, moments.map(\.asOf).max()?.postgres, inputsSeen)
  }

  /// Forgets what is kept of portfolios.
  static func forget(_ portfolios: [ID<Portfolio>], on db: isolated Connection) throws {
    _ = try db.execute(delete, portfolios.map(\.rawValue))
  }

  // MARK: - SQL

  private static let lock = Statement(
    "moments-exclude",
    "lock table closebell.portfolio_irr_moments in share row exclusive mode")

  /// The changes that were not seen are mostly none, and are looked for once a chunk.
  static let upsert = Statement(
    "populate-moments",
    """
    with unseen as materialized (
      select c.* from closebell.input_changes c cross join (
        select $5::text::pg_snapshot as inputs_seen, i.epoch as inputs_epoch
        from closebell.incarnation i) s
      where c.from_date <= $4::date and not \(Staleness.isSeen("c", by: "s"))
    ), given as materialized (
      select n.*,
        not exists (select from unseen c
          where c.from_date <= n.as_of and \(InputChange.concerns("n.portfolio_id")))
        and not exists (select from closebell.portfolio_snapshots later
          where later.portfolio_id = n.portfolio_id and later.opened_from_date >= n.as_of)
        as may_be_kept
      from unnest($1::bigint[], $2::date[], $3::bytea[]) as n (portfolio_id, as_of, moments)
    ), forgotten as (
      delete from closebell.portfolio_irr_moments m
      where m.portfolio_id = any(array(
        select g.portfolio_id from given g where not g.may_be_kept))
    )
    insert into closebell.portfolio_irr_moments as m (portfolio_id, as_of, moments)
    select g.portfolio_id, g.as_of, g.moments from given g where g.may_be_kept
    on conflict (portfolio_id) do update
    set as_of = excluded.as_of, moments = excluded.moments
    """)

  static let delete = Statement(
    "populate-forget-moments",
    "delete from closebell.portfolio_irr_moments where portfolio_id = any($1::bigint[])")
}
