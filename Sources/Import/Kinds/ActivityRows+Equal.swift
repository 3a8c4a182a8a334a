internal import Accounting
internal import Postgres

// Rows without ids are known by what they say: of rows that say the same, the books have as many as
// the file that has the most of them.
//
// Equal staged and stored rows are counted off against each other, the first to the first. A stored
// row is given away once a file: what this import brought, or has found before, is out of it. So a
// file is read in chunks, stopped and gone on with anywhere, and no chunk knows of the others.

extension ActivityRows {
  /// The columns in which two rows must say the same; nulls are the same.
  private static let telling = [
    "portfolio_id", "activity_date", "activity_type", "instrument_id", "currency", "account",
    "quantity", "price", "amount",
  ]

  /// SQL of what a row says in each of them.
  ///
  /// The value of a transfer is no part of it: by whatever rule it was translated, these are the
  /// same units on the same day.
  private static func content(_ row: String) -> [String] {
    let transfers = ActivityType.allCases.filter { $0.traits.kind == .transfer }
      .map { "'\($0.rawValue)'" }.joined(separator: ", ")
    return telling.map { column in
      guard column == "price" || column == "amount" else { return "\(row).\(column)" }
      return """
        case when \(row).activity_type in (\(transfers)) and \(row).quantity is not null then null
          else \(row).\(column) end
        """
    }
  }

  /// SQL of 64 bits of that, whatever the scale of its numbers.
  ///
  /// Only for finding, since two that differ may share it; it holds for one database, and one
  /// version of the server.
  private static func digest(_ row: String) -> String {
    "hash_record_extended(row(\(content(row).joined(separator: ", "))), 0)"
  }

  /// SQL of the name of the first row that says what the staged row `row` does.
  ///
  /// The number behind the stroke counts the equal ones; before it are 128 bits, the same on every
  /// server.
  static func firstName(_ row: String) -> String { "\(key(row)) || '/1'" }

  private static func key(_ row: String) -> String {
    let text = content(row).map { value in
      switch value {
      case "\(row).activity_date": "\(value) - '2000-01-01'::date"
      case "\(row).quantity": "trim_scale(\(value))"
      case let number where number.hasPrefix("case"): "trim_scale(\(number))"
      default: value
      }
    }
    // The account comes last, as it alone may hold anything.
    let parts = (text.filter { $0 != "\(row).account" } + ["\(row).account"])
      .joined(separator: ", '|', ")
    return """
      (select 'row:' || lpad(to_hex(hashtextextended(t.said, 0)), 16, '0')
        || lpad(to_hex(hashtextextended(t.said, 1)), 16, '0')
        from (select concat(\(parts)) as said offset 0) t)
      """
  }

  /// SQL of the stored rows of the days of the staged ones, `l`, with what they say.
  ///
  /// With the sum a look-up means the index by day, and the index of what was booked late: no
  /// others have it.
  private static func stored(where condition: String = "true") -> String {
    """
    select l.*, \(digest("l")) as said from (
      select b.*, (select f.instrument_id from closebell.portfolio_funds f
        where f.portfolio_id = b.portfolio_id and f.id = b.portfolio_fund_id) as instrument_id
      from (select distinct portfolio_id, activity_date from staged offset 0) d
      cross join lateral (
        select a.* from closebell.holding_activity_log a
        where a.portfolio_id + 0 = d.portfolio_id
          and coalesce(a.booked_on, a.activity_date) = d.activity_date and a.booked_on is null
          and \(condition)
        union all
        select a.* from closebell.holding_activity_log a
        where a.portfolio_id + 0 = d.portfolio_id and a.activity_date = d.activity_date
          and a.booked_on is not null and \(condition)
        offset 0) b offset 0) l
    """
  }

  /// SQL that is true where this import (`$1`) has brought the stored row `l`, or found it before.
  private static let isTaken = """
    (l.import_id = $1::bigint or coalesce((
      select get_bit(m.ids, (l.id & 1023)::int) = 1 from closebell.import_matches m
      where m.job_id = $1::bigint and m.page = l.id >> 10), false))
    """

  /// SQL of the staged rows to which there are equal ones: `place` in the staging table, `k` among
  /// all rows that say so, and the stored row that was counted off against it, if there is one.
  ///
  /// Counting is done by sorting and by tables of digests, never by joins, which the planner, who
  /// knows nothing of a chunk, might do row by row.
  private static func pairs(staged: String, stored: String, isTaken: String) -> String {
    let same = (["said"] + telling).map { "q.\($0)" }.joined(separator: ", ")
    func contents(_ row: String) -> String {
      zip(content(row), telling).map { "\($0) as \($1)" }.joined(separator: ", ")
    }
    func isAlike(_ said: String) -> String { "(\(said) in (select a.said from alike a)) is true" }
    return """
      staged as \(staged),
      stored as materialized (\(stored)),
      alike as materialized (
        select r.said from (
          select \(digest("s")) as said from staged s union all select l.said from stored l) r
        group by r.said having count(*) > 1),
      entries as (
        select s.place, 0 as part, s.row_number as number, null::text as external_id,
          null::bigint as import_id, \(digest("s")) as said, \(contents("s"))
        from staged s where \(isAlike(digest("s")))
        union all
        select null, case when \(isTaken) then 2 else 1 end, l.id, l.external_id, l.import_id,
          l.said, \(content("l").joined(separator: ", "))
        from stored l where \(isAlike("l.said"))),
      counted as (
        select q.*,
          row_number() over (partition by \(same), q.part order by q.number, q.place) as rank,
          count(*) filter (where q.part = 2) over (partition by \(same)) as taken
        from entries q),
      pairs as (
        select q.place, q.part, q.taken + q.rank as k, q.portfolio_id,
          max(q.number) filter (where q.part = 1) over pair as stored_id,
          max(q.external_id) filter (where q.part = 1) over pair as stored_name,
          max(q.import_id) filter (where q.part = 1) over pair as stored_import_id
        from counted q window pair as (partition by \(same), q.rank))
      """
  }

  /// Names the staged rows that are stored already as the stored ones are named.
  ///
  /// Of those that are not it names the second and further ones. `$1` is the import's number, `$2`
  /// the file's digest.
  ///
  /// Says whether there are any, or the same file was imported before: one that an older version
  /// imported named its rows, and one of them may have been changed since.
  static let findEqual = Statement(
    "import-activities-equal",
    """
    with \(pairs(
      staged: "not materialized (select s.ctid as place, s.* from pg_temp.import_activities s)",
      stored: stored(), isTaken: isTaken)),
    named as (
      update pg_temp.import_activities s set origin = s.external_id, stored_id = p.stored_id,
        stored_import_id = p.stored_import_id,
        external_id = coalesce(p.stored_name, \(key("s")) || '/' || p.k)
      from pairs p where p.part = 0 and s.ctid = p.place
      returning s.stored_id
    )
    select coalesce(bool_or(n.stored_id is not null), false) or exists (
      select from closebell.import_jobs j
      where j.kind = 'activities' and j.digest = $2::bytea and j.status = 'completed')
    from named n
    """)

  /// Names the rows that have no name yet.
  static let nameNew = Statement(
    "import-activities-name",
    """
    update pg_temp.import_activities s set origin = s.external_id, external_id = \(firstName("s"))
    where s.origin is null
    """)

  /// Takes out what has the name of a row that says something else by now: it was this one, before
  /// somebody changed it.
  static let unstageNamed = Statement(
    "import-activities-named",
    """
    delete from pg_temp.import_activities s where s.stored_id is null
      and coalesce(
        (select true from closebell.holding_activity_log l where \(isOfID("l", "s"))),
        (select true from closebell.holding_activity_log l where l.external_id = s.origin
          and l.portfolio_id - 0 = s.portfolio_id), false)
    """)

  /// Whether a staged row's portfolio has rows without ids.
  static let isAnyUnnamed = Statement(
    "import-activities-unnamed",
    """
    select exists (select from (
        select distinct s.portfolio_id from pg_temp.import_activities s offset 0) p
      where (select true from closebell.unnamed_portfolios u
        where u.portfolio_id = p.portfolio_id))
    """)

  /// Portfolios of which rows without ids are stored.
  static let noteUnnamed = Statement(
    "import-activities-note-unnamed",
    """
    insert into closebell.unnamed_portfolios
    select distinct s.portfolio_id from pg_temp.import_activities s on conflict do nothing
    """)

  /// Gives stored rows without ids those of the staged rows that say the same and are not stored.
  static let adoptEqual = Statement(
    "import-activities-adopt",
    """
    with \(pairs(
      staged: """
        materialized (
          select s.ctid as place, s.* from pg_temp.import_activities s
          where (select true from closebell.unnamed_portfolios u
              where u.portfolio_id = s.portfolio_id)
            and (select true from closebell.holding_activity_log l
              where l.external_id = s.external_id limit 1) is null)
        """,
      stored: stored(where: "(a.external_id like 'row:%' or a.external_id like 'file:%')"),
      isTaken: "false")),
    adopted as (
      update closebell.holding_activity_log l set external_id = (
        select s.external_id from pg_temp.import_activities s where s.ctid = p.place)
      from pairs p
      where p.part = 0 and l.portfolio_id = p.portfolio_id and l.id = p.stored_id
      returning p.stored_id, p.stored_import_id
    )
    \(recordOverlaps(of: "adopted"))
    """)
}

// MARK: - What was found

extension ActivityRows {
  /// Takes out the rows that say what is stored, and records which they were.
  static func unstageFound(_ stored: StoredRows) -> Statement {
    let unstage = stored.unstageUnchanged
    return Statement(
      unstage.name + "-found",
      """
      with found as (\(unstage.sql) returning s.stored_id, s.stored_import_id)
      \(record(of: "found"))
      """)
  }

  /// Records which stored rows the others are.
  static let recordFound = Statement(
    "import-activities-found",
    """
    with found as (
      select s.stored_id, s.stored_import_id from pg_temp.import_activities s
      where s.stored_id is not null)
    \(record(of: "found"))
    """)

  private static func record(of found: String) -> String {
    """
    , pages as (
      insert into closebell.import_matches as m (job_id, page, ids)
      select $1::bigint, f.stored_id >> 10,
        bit_or(set_bit(repeat('0', 1024)::bit(1024), (f.stored_id & 1023)::int, 1))
      from \(found) f where f.stored_id is not null group by 2
      on conflict on constraint import_matches_key do update set ids = m.ids | excluded.ids
    )
    \(recordOverlaps(of: found))
    """
  }

  /// A dry run's are rolled back with everything else.
  private static func recordOverlaps(of found: String) -> String {
    """
    insert into closebell.import_overlaps as o (job_id, earlier_id, row_count)
    select $1::bigint, coalesce(f.stored_import_id, 0), count(*)
    from \(found) f where f.stored_id is not null group by 2
    on conflict on constraint import_overlaps_key
    do update set row_count = o.row_count + excluded.row_count
    """
  }
}
