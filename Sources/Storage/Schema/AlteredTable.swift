public import Problems
internal import Sequences

/// A table of ours on which what is written may become something else, or nothing.
///
/// Whoever may put a trigger on a table has it run with the rights of whoever writes there, and one
/// that runs before a row is written may change the row or drop it; so may a rule. The count of an
/// import would call such rows unchanged, and a night would be booked without them. So writers ask
/// first. Triggers that run after a row, as those that audit or replicate, are nobody's business,
/// but for those whose function belongs to somebody whom we do not trust.
public struct AlteredTable: Problem {
  /// Which table, and what about it.
  let objection: String

  /// Which table, what about it, and the way out.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("table_altered", .configuration), objection,
      remedy: """
        what is written there may be changed or lost on its way, or run a stranger's code: take it \
        away, or make it a trigger that runs after the row, with a function of the tables' owner
        """)
  }

  /// SQL of the objection to the first such table; null where there is none.
  static let first = """
    (with t as (
      select c.oid, pg_catalog.format('closebell.%I', c.relname) as name, c.relkind,
        \(TrustedRoles.triggerObjection) as stranger
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'closebell'
        and c.relname = any ('{\(Migration.tables.joined(separator: ","))}'::text[]))
    select min(o.objection) from (
      select t.name || ' is no table any more' as objection from t
      where t.relkind not in ('r', 'p')
      union all
      select pg_catalog.format('%s has the trigger %I, which runs before a row', t.name, g.tgname)
      from t join pg_catalog.pg_trigger g on g.tgrelid = t.oid
      where not g.tgisinternal and g.tgenabled <> 'D' and g.tgtype & 3 = 3
      union all
      select pg_catalog.format('%s: %s', t.name, t.stranger) from t where t.stranger is not null
      union all
      select pg_catalog.format('%s has the rule %I', t.name, r.rulename)
      from t join pg_catalog.pg_rewrite r on r.ev_class = t.oid
      where t.relkind in ('r', 'p') and r.ev_enabled <> 'D') o)
    """
}
