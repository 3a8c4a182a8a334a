internal import Postgres
internal import Problems
internal import Sequences

/// Whether what our statements read and call is what we made.
///
/// Whoever may create a schema may have made one by our name before we did, with a view in it that
/// runs a function of his, or with a function by the name of one of ours. So before anything in it
/// is read or called, and again after each migration, it is asked who owns it.
enum SchemaOwners {
  /// What is there already.
  struct Standing {
    /// Whether the schema is there.
    var hasSchema: Bool
    /// Whether the table of migrations is there.
    var hasJournal: Bool
  }

  /// Refuses a schema, or something in it by a name of ours, that belongs to a stranger.
  ///
  /// Nothing but the server's own catalogue is read.
  ///
  /// - Throws: `SchemaError.ofStranger`, `SchemaError.journalReplaced`.
  @discardableResult
  static func require(on db: isolated Connection) throws -> Standing {
    let found = try db.row(look) { row in
      (
        Standing(hasSchema: try row.nextBool(), hasJournal: try row.nextBool()),
        what: try row.nextStringOrNil(), owner: try row.nextStringOrNil()?.onOneLine,
        role: try row.nextString().onOneLine
      )
    }
    guard let found else { throw StorageError.noRow("schema") }
    guard let what = found.what else { return found.0 }
    guard let owner = found.owner else { throw SchemaError.journalReplaced }
    throw SchemaError.ofStranger(what, owner: owner, role: found.role)
  }

  /// Names as an array of SQL; they are our own and need no quotes.
  private static func array(_ names: [String]) -> String {
    "any ('{\(names.joined(separator: ","))}'::text[])"
  }

  private static let look = Statement.once(
    "schema-owners",
    """
    with s as (
      select n.oid, n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'closebell'
    ), r as (
      select c.relname, c.relowner, c.relkind
      from s join pg_catalog.pg_class c on c.relnamespace = s.oid
      where c.relname = \(array(Migration.relations))
    ), o as (
      select 1 as rank, 'the schema closebell' as what, s.nspowner as owner from s
      where not \(TrustedRoles.include("s.nspowner"))
      union all
      select 2, 'closebell.' || r.relname, r.relowner from r
      where not \(TrustedRoles.include("r.relowner"))
      union all
      select 3, 'function closebell.' || p.proname, p.proowner
      from s join pg_catalog.pg_proc p on p.pronamespace = s.oid
      where p.proname = \(array(Migration.functions))
        and not \(TrustedRoles.include("p.proowner"))
      union all
      select 4, 'closebell.' || r.relname, null from r
      where r.relname = 'schema_migrations' and r.relkind not in ('r', 'p')
    )
    select exists (select from s), exists (select from r where r.relname = 'schema_migrations'),
      o.what, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)),
      pg_catalog.quote_ident(current_user)
    from (select) one left join (select * from o order by o.rank, o.what limit 1) o on true
    """)
}
