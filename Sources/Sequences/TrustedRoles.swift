internal import Postgres
internal import Problems

/// Whose code may run with our rights.
///
/// Whoever reads a table runs what its owner put around it, with his own rights and not the
/// owner's: the functions of a view that took the table's place, the casts of its types, and even
/// those of an index, which the planner computes where no column is in them. PostgreSQL has no way
/// of reading that shuts them out, and no way of giving rights up that they could not undo. So what
/// belongs to others is not read at all.
package enum TrustedRoles {
  /// SQL that is true for the number of a role that we trust: our own, those that it is a member
  /// of, the database's owner, and superusers.
  ///
  /// A superuser counts as a member of every role, but trusts none for that. Nor is a role trusted
  /// that we may grant and no more (PostgreSQL 16), or that somebody made us a member of who could
  /// do no more than that: nobody has to be asked for it.
  package static func include(_ role: String) -> String {
    """
    (\(role) = any (array(
      with recursive mine (oid) as (
        select r.oid from pg_catalog.pg_roles r where r.rolname = current_user
        union
        select m.roleid from pg_catalog.pg_auth_members m join mine on mine.oid = m.member
        where m.grantor = any (array(
            select g.oid from pg_catalog.pg_roles g where g.rolsuper or g.rolcreaterole
            union all
            select d.datdba from pg_catalog.pg_database d
            where d.datname = pg_catalog.current_database()))
          and (coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean, true)
            or coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::boolean, true)))
      select mine.oid from mine
      union all
      select r.oid from pg_catalog.pg_roles r
      where r.rolsuper or r.rolname = 'pg_database_owner'
      union all
      select d.datdba from pg_catalog.pg_database d
      where d.datname = pg_catalog.current_database())))
    """
  }

  /// SQL of why the relation `c` of `pg_class`, in the schema `n`, is not read; null where it may.
  ///
  /// The owner of its schema could put another one in its place.
  package static let objection = """
    (case
      when not \(include("n.nspowner")) then pg_catalog.format(
        'its schema belongs to %I, whose code would run with our rights',
        pg_catalog.pg_get_userbyid(n.nspowner))
      when not \(include("c.relowner")) then pg_catalog.format(
        'it belongs to %I, whose code would run with our rights',
        pg_catalog.pg_get_userbyid(c.relowner))
      when c.relhassubclass then (
        with recursive part (oid) as (
          select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = c.oid
          union
          select i.inhrelid from pg_catalog.pg_inherits i join part on part.oid = i.inhparent)
        select pg_catalog.format(
          'its part %s %s', x.oid::pg_catalog.regclass, case
            when x.relkind not in ('r', 'p') then 'is a foreign table' else pg_catalog.format(
              'belongs to %I, whose code would run with our rights',
              pg_catalog.pg_get_userbyid(x.relowner)) end)
        from part join pg_catalog.pg_class x on x.oid = part.oid
        where x.relkind not in ('r', 'p') or not \(include("x.relowner"))
        order by 1 limit 1)
      end)
    """

  /// SQL of the first trigger of the relation `c` that would run a stranger's function; null where
  /// there is none.
  ///
  /// One that runs with its owner's rights can be made to run with the caller's at any time.
  package static let triggerObjection = """
    (select pg_catalog.format('its trigger %I calls %s of %I, whose code would run with our rights',
        g.tgname, f.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(f.proowner))
      from pg_catalog.pg_trigger g join pg_catalog.pg_proc f on f.oid = g.tgfoid
      where g.tgrelid = c.oid and not g.tgisinternal and g.tgenabled <> 'D'
        and not \(include("f.proowner"))
      order by 1 limit 1)
    """

  /// SQL of the first column of the relation `c` whose type, or one that it is made of, is a
  /// stranger's, with its casts; null where there is none.
  package static let typeObjection = """
    (with recursive type (number, name, oid) as (
        select a.attnum, a.attname, a.atttypid from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        union
        select type.number, type.name, p.oid from type cross join lateral (
          select y.typelem as oid from pg_catalog.pg_type y where y.oid = type.oid
          union all
          select y.typbasetype from pg_catalog.pg_type y where y.oid = type.oid
          union all
          select r.rngsubtype from pg_catalog.pg_range r
          where type.oid in (r.rngtypid, r.rngmultitypid)
          union all
          select a.atttypid from pg_catalog.pg_type y
          join pg_catalog.pg_attribute a on a.attrelid = y.typrelid
          where y.oid = type.oid and y.typrelid <> 0 and a.attnum > 0 and not a.attisdropped) p
        where p.oid <> 0)
      select pg_catalog.format(
        'its column %I is of the type %s of %I, whose code would run with our rights', type.name,
        pg_catalog.format_type(y.oid, null), pg_catalog.pg_get_userbyid(y.typowner))
      from type join pg_catalog.pg_type y on y.oid = type.oid
      where not \(include("y.typowner"))
      order by type.number limit 1)
    """
}

/// A table as it was found in the catalogue.
struct FoundTable {
  var oid: Int64
  /// Schema and name, quoted where need be.
  var name: String
  /// What it is: one table, or partitioned.
  var kind: SequenceUser.Kind?

  /// Keeps tables as they are until the transaction ends, and looks whether they are still the ones
  /// that were found, and nobody's whom we do not trust.
  ///
  /// - Returns: By its number, why a table must not be read; those that may be are left out.
  static func hold(_ tables: [FoundTable], on db: isolated Connection) throws -> [Int64: String] {
    precondition(db.isInTransaction, "a lock that ends at once holds nothing")
    let names = tables.map { ($0.kind == .table ? "only " : "") + $0.name }
    try db.execute(sql: "lock table \(names.joined(separator: ", ")) in access share mode")
    let kinds = tables.map { $0.kind?.rawValue ?? "" }
    let objections = try db.rows(look, tables.map(\.oid), tables.map(\.name), kinds) {
      (try $0.nextInt64(), try $0.nextString().onOneLine)
    }
    return Dictionary(objections) { first, _ in first }
  }

  private static let look = Statement.once(
    "sequences-hold",
    """
    select o.oid, o.objection from (
      select t.oid, case
        when c.oid is null or c.relkind::text <> t.kind
          or pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
            <> t.name
        then 'it was replaced meanwhile' else \(TrustedRoles.objection) end as objection
      from unnest($1::bigint[], $2::text[], $3::text[]) as t (oid, name, kind)
      left join pg_catalog.pg_class c on c.oid = t.oid::oid
      left join pg_catalog.pg_namespace n on n.oid = c.relnamespace) o
    where o.objection is not null
    """)
}
