internal import Accounting
internal import Postgres

/// Runs of neighbouring portfolios that open from, or are closed on, the same date, as parallel
/// arrays.
///
/// A night's chunk is one run, and each of its tables is one walk along a key that begins with the
/// date: a third of the time of a look-up a portfolio. A run passes over few portfolios that nobody
/// asked for, whose rows come too, and over none that opens from another date.
struct LoadSpans {
  private(set) var dates: [PostgresDate] = []
  private(set) var firsts: [Int64] = []
  private(set) var lasts: [Int64] = []

  /// How far the next portfolio of a run may be: the rows read are at most so many times those
  /// asked for.
  private static let widestStep: Int64 = 4

  private init() {}

  /// - Parameter ranges: Those without an opening are left out.
  init(_ ranges: [LoadRange]) {
    let isAscending = zip(ranges, ranges.dropFirst()).allSatisfy { $0.portfolio < $1.portfolio }
    let ordered = isAscending ? ranges : ranges.sorted { $0.portfolio < $1.portfolio }
    var mayGoOn = false
    for range in ordered {
      defer { mayGoOn = range.openedFrom != nil }
      guard let date = range.openedFrom?.postgres else { continue }
      add(range.portfolio.rawValue, date, mayGoOn: mayGoOn)
    }
  }

  /// - Parameter slots: Ascending by date, then portfolio.
  init(_ slots: [Slot]) {
    for slot in slots { add(slot.portfolio.rawValue, slot.date.postgres, mayGoOn: true) }
  }

  /// Splits ranges into those that are read day by day, and the rest.
  ///
  /// A run of neighbours with one range is read by day where it has at least as many portfolios as
  /// days: what a night reads of a table in which a day has few rows is one short walk then,
  /// however many portfolios had nothing. Where neighbours differ, as after a holiday that only
  /// some of their calendars have, runs are short, and a longer gap is a look-up a portfolio.
  static func days(of ranges: [LoadRange]) -> (spans: LoadSpans, rest: [LoadRange]) {
    var spans = LoadSpans()
    var rest: [LoadRange] = []
    var left = ranges.sorted { $0.portfolio < $1.portfolio }[...]
    while let first = left.first {
      let run = left.prefix(1 + zip(left, left.dropFirst()).prefix(while: isOneRun).count)
      left = left.dropFirst(run.count)
      let days = first.openedFrom.map { first.through - $0 }
      if let days, days <= run.count {
        for back in stride(from: days - 1, through: 0, by: -1) {
          spans.dates.append((first.through - back).postgres)
          spans.firsts.append(first.portfolio.rawValue)
          spans.lasts.append(run[run.endIndex - 1].portfolio.rawValue)
        }
      } else {
        rest += run
      }
    }
    return (spans, rest)
  }

  private static func isOneRun(_ one: LoadRange, _ next: LoadRange) -> Bool {
    one.openedFrom == next.openedFrom && one.through == next.through
      && next.portfolio.rawValue - one.portfolio.rawValue <= widestStep
  }

  /// Runs of portfolios for which all dates are one.
  init(neighbouring portfolios: [ID<Portfolio>]) {
    for id in portfolios.sorted() {
      add(id.rawValue, Day.earliest.postgres, mayGoOn: true)
    }
  }

  private mutating func add(_ id: Int64, _ date: PostgresDate, mayGoOn: Bool) {
    if mayGoOn, let last = lasts.last, dates.last == date, id - last <= Self.widestStep {
      lasts[lasts.count - 1] = id
    } else {
      dates.append(date)
      firsts.append(id)
      lasts.append(id)
    }
  }

  // MARK: - SQL

  /// The runs of the first three parameters: `dates`, `firsts`, `lasts`.
  static let runs = "unnest($1::date[], $2::bigint[], $3::bigint[]) as o (day, first_id, last_id)"

  /// What follows `from` to walk along the key of a table for each run.
  ///
  /// `offset 0` keeps the planner from making a join of it: it would read and sort whole tables
  /// for every chunk, since the statistics have not heard of last night's date.
  ///
  /// - Parameters:
  ///   - date: The column that the key begins with.
  ///   - row: What a row of the table is called in the rest of the statement.
  ///   - condition: What else must be true of a row `r`.
  static func rows(
    of table: String, on date: String, as row: String, where condition: String = "true"
  ) -> String {
    walk(table, "r.\(date)", "r.portfolio_id", as: row, where: condition)
  }

  /// The same for a table that has indexes which begin with the portfolio, too.
  ///
  /// The sum names the index that begins with the day. With the bare column the planner, who knows
  /// nothing of a run's width, may walk through all dates of its portfolios.
  ///
  /// - Parameter date: An expression of a row `r` that the index begins with.
  static func rowsByDay(
    of table: String, on date: String, as row: String, where condition: String = "true"
  ) -> String {
    walk(table, date, "r.portfolio_id + 0", as: row, where: condition)
  }

  private static func walk(
    _ table: String, _ date: String, _ portfolio: String, as row: String, where condition: String
  ) -> String {
    """
    \(runs)
    cross join lateral (
      select r.* from closebell.\(table) r
      where \(date) = o.day and \(portfolio) between o.first_id and o.last_id
        and \(condition)
      offset 0) \(row)
    """
  }
}
