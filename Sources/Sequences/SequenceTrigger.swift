public import Postgres
internal import Problems

/// A trigger that keeps a sequence ahead of values that are inserted by hand.
///
/// It fires once a statement and looks only at the new rows: their largest value against
/// `pg_sequence_last_value`. Rows that took their values from the sequence lie behind it whatever
/// other sessions do, so for them it does nothing at all. It never compares with `currval`, which
/// knows only of its own session, or with the largest value of the table, which knows nothing of
/// rows that are not committed: a trigger that sets the sequence to either moves it back under the
/// feet of everybody else.
///
/// A short way is drawn, a long one set under an advisory lock, so that two triggers do not undo
/// each other; see ``SequenceRepair`` for why. It cannot take the lock that a repair takes: its
/// transaction may have drawn already, and two that waited for each other would deadlock. What is
/// left is that others draw a whole long way between two neighbouring calls of one function.
public enum SequenceTrigger {
  /// Farthest way that is drawn within somebody's insert: some 50 ms.
  static let longestDraw = 100_000

  /// A trigger that stands, or was taken away.
  public struct InstalledTrigger: Sendable {
    /// Schema and table, quoted where need be.
    public var table: String
    /// The column whose values it looks at; nil where its name is all that is known.
    public var column: String?
    /// The sequence that it keeps ahead.
    public var sequence: String?
  }

  /// Puts a trigger on every column of some tables that a sequence fills; again, and nothing
  /// changes.
  ///
  /// On a partitioned table it fires for inserts into the table, not for those into a partition.
  ///
  /// - Throws: `SequenceError.noTrigger` where PostgreSQL allows none or it would not be right.
  public static func install(
    on names: [String], in scope: SequenceScope, on db: isolated Connection
  ) throws -> [InstalledTrigger] {
    try db.transaction { db in
      var standing: [InstalledTrigger] = []
      for name in names {
        let sequences = try SequenceCatalogue.find([name], in: scope, on: db)
        let tables = Set(try SequenceCatalogue.relations([name], on: db))
        let users = sequences.flatMap { sequence in
          sequence.users.filter { tables.contains($0.tableOID) }.map { (sequence, $0) }
        }
        guard !users.isEmpty else {
          throw SequenceError.noTrigger(table: name, reason: "no sequence fills a column of it")
        }
        for (sequence, user) in users {
          try refuse(sequence, user, on: db)
          try put(sequence, user, on: db)
          standing.append(
            InstalledTrigger(table: user.table, column: user.column, sequence: sequence.name))
        }
      }
      return standing
    }
  }

  /// Takes the triggers of some tables away with their functions; where none stands, nothing.
  public static func remove(
    from names: [String], on db: isolated Connection
  ) throws -> [InstalledTrigger] {
    try db.transaction { db in
      var taken: [InstalledTrigger] = []
      for name in names {
        let tables = try SequenceCatalogue.relations([name], on: db)
        let found = try db.rows(installed, tables) {
          (try $0.nextString(), try $0.nextString(), try $0.nextString())
        }
        for (table, trigger, function) in found {
          try db.execute(sql: "drop trigger \(trigger) on \(table); drop function \(function)")
          taken.append(InstalledTrigger(table: table))
        }
      }
      return taken
    }
  }

  private static func refuse(
    _ sequence: CataloguedSequence, _ user: SequenceUser, on db: isolated Connection
  ) throws {
    let reason: String? =
      if user.kind == .foreign {
        "it is a foreign table"
      } else if user.kind != .table && user.kind != .partitioned {
        "it is a view"
      } else if user.range == nil || user.isNumeric {
        "column \(user.column) holds other values than whole numbers"
      } else if !user.isPlain {
        "the values of \(user.column) are computed from the sequence's"
      } else if sequence.cycles {
        "\(sequence.name) cycles: it is meant to come back"
      } else if try isDistributed(user, on: db) {
        "it is distributed over nodes, where triggers do not stand; reserve its ids instead"
      } else {
        user.objection ?? sequence.objection.map { "\(sequence.name): \($0)" }
      }
    if let reason { throw SequenceError.noTrigger(table: user.table, reason: reason) }
  }

  /// Citus keeps its tables in a catalogue of its own.
  private static func isDistributed(
    _ user: SequenceUser, on db: isolated Connection
  ) throws -> Bool {
    guard try db.row(hasCitus, as: { try $0.nextBool() }) == true else { return false }
    return try db.row(inCitus, user.tableOID) { try $0.nextBool() } ?? false
  }

  private static func put(
    _ sequence: CataloguedSequence, _ user: SequenceUser, on db: isolated Connection
  ) throws {
    let body = SequenceTriggerText.body(sequence, user)
    guard
      let (function, quoted, stranger) = try db.row(
        names, user.tableOID, user.columnNumber, sequence.name, body, user.column,
        as: { (try $0.nextString(), try $0.nextString(), try $0.nextStringOrNil()?.onOneLine) })
    else {
      throw PostgresError(
        .unexpectedAnswer, "the server named no function for a trigger", reachedServer: true)
    }
    if let stranger {
      throw SequenceError.noTrigger(
        table: user.table, reason: "its function would be \(function)(), and belongs to \(stranger)"
      )
    }
    let trigger = "\(SequenceTriggerText.prefix)\(user.columnNumber)"
    try db.execute(
      sql: """
        create or replace function \(function)() returns trigger language plpgsql
          security definer set search_path = pg_catalog, pg_temp as \(quoted);
        revoke all on function \(function)() from public;
        create or replace trigger \(trigger) after insert on \(user.table)
          referencing new table as new_rows for each statement execute function \(function)();
        """)
  }

  // MARK: - SQL

  /// The function stands in the table's schema; its name follows from table and column, so that a
  /// second installation replaces the first.
  ///
  /// A function that is there already keeps its owner when it is replaced, and he could replace it
  /// again; so his name comes along where we do not trust him.
  private static let names = Statement.once(
    "sequence-trigger-names",
    """
    select pg_catalog.format('%I.%I', f.nspname, f.name),
      pg_catalog.quote_literal(pg_catalog.replace(pg_catalog.replace($4::text,
        '\(SequenceTriggerText.column)', pg_catalog.quote_literal($5::text)),
        '\(SequenceTriggerText.literal)', pg_catalog.quote_literal($3::text))),
      (select pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner))
       from pg_catalog.pg_proc p
       where p.pronamespace = f.schema and p.proname = f.name
         and not \(TrustedRoles.include("p.proowner"))
       limit 1)
    from (select n.oid as schema, n.nspname, ('\(SequenceTriggerText.prefix)'
          || pg_catalog.left(pg_catalog.md5(c.relname || '.' || a.attname), 12))::name as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = $2::integer
      where c.oid = $1::bigint::oid) f
    """)
  private static let installed = Statement.once(
    "sequence-trigger-installed",
    """
    select pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(t.tgname),
      pg_catalog.format('%I.%I()', fn.nspname, f.proname)
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_proc f on f.oid = t.tgfoid
    join pg_catalog.pg_namespace fn on fn.oid = f.pronamespace
    where t.tgrelid::bigint = any($1::bigint[]) and not t.tgisinternal and t.tgparentid = 0
      and t.tgname ~ '^\(SequenceTriggerText.prefix)[0-9]+$'
      and f.proname ~ '^\(SequenceTriggerText.prefix)[0-9a-f]{12}$'
    order by 1, 2
    """)
  private static let hasCitus = Statement.once(
    "sequence-trigger-has-citus",
    "select pg_catalog.to_regclass('pg_catalog.pg_dist_partition') is not null")
  private static let inCitus = Statement.once(
    "sequence-trigger-in-citus",
    """
    select exists (select from pg_catalog.pg_dist_partition d
      where d.logicalrelid = $1::bigint::oid::regclass)
    """)
}

/// The text of the trigger's function.
enum SequenceTriggerText {
  /// SQL of the two numbers of the lock under which a trigger sets a sequence, a variable
  /// `sequence` of its function: a word's, since any database has it, and the sequence's own.
  private static let lockKeys = "1131179891, sequence::oid::integer"

  static let prefix = "closebell_sequence_ahead_"
  /// Stands for the sequence's name as a literal, until the server has quoted it.
  static let literal = "<sequence>"
  /// Stands for the column's name, as SQL has it, as a literal.
  static let column = "<column>"

  /// Names are quoted by the server; a sequence that was renamed is said so, and no insert fails.
  static func body(_ sequence: CataloguedSequence, _ user: SequenceUser) -> String {
    let down = sequence.increment < 0
    return """

      -- Made by: closebell sequences install-trigger. Taken away by: remove-trigger.
      declare
        sequence constant regclass := to_regclass(\(literal));
        farthest bigint;
        last bigint := null;
        next bigint;
        step bigint;
        room bigint;
        -- Not bigint: a range may be wider than half of those.
        draws numeric;
      begin
        -- Of another type it would be cast, by whatever function the type's owner made for that.
        if not exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid
          where a.attrelid = tg_relid and a.attnum = \(user.columnNumber)
            and quote_ident(a.attname) = \(column)
            and coalesce(nullif(t.typbasetype, 0), t.oid) in (20, 21, 23))
        then
          raise warning 'column % of % is not what it was: nothing keeps its sequence ahead',
            \(column), tg_relid::regclass
            using hint = 'closebell sequences remove-trigger, then install-trigger';
          return null;
        end if;
        select \(down ? "min" : "max")(r.\(user.column)) into farthest from new_rows r;
        if farthest is null then return null; end if;
        if sequence is null then
          raise warning 'sequence % is gone: nothing keeps it ahead of %',
            \(literal), tg_relid::regclass
            using hint = 'closebell sequences remove-trigger, then install-trigger';
          return null;
        end if;
        last := pg_sequence_last_value(sequence);
        -- Drawn values end here: whoever drew one moved the sequence up to it first.
        if farthest \(down ? ">=" : "<=") last then return null; end if;
        select s.seqincrement, \(down ? "s.seqmin" : "s.seqmax") into step, room
        from pg_sequence s where s.seqrelid = sequence;
        if last is null then
          select case when q.is_called then q.last_value + step else q.last_value end into next
          from \(sequence.name) q;
        else
          next := last + step;
        end if;
        -- Of a block that was handed out; or so near the end that nothing would be left.
        if farthest \(down ? ">" : "<") next or farthest \(down ? "<" : ">") room - step then
          return null;
        end if;
        draws := div(farthest::numeric - next, step) + 1;
        if draws <= \(SequenceTrigger.longestDraw) then
          perform nextval(sequence) from generate_series(1, draws::bigint);
          return null;
        end if;
        perform pg_advisory_lock(\(lockKeys));
        begin
          -- Read again behind the lock, and set in the same breath.
          next := next + (draws - 1) * step;
          perform setval(sequence, next, true) from pg_sequence_last_value(sequence) l
          where l is null or l \(down ? ">" : "<") next;
        exception when others then
          perform pg_advisory_unlock(\(lockKeys));
          raise;
        end;
        perform pg_advisory_unlock(\(lockKeys));
        return null;
      end

      """
  }
}
