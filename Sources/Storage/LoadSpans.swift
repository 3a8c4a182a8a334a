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

  private mutating func add(_ id: Int64, _ date: PostgresDate, mayGoOn: Bool) {
    if mayGoOn, let last = lasts.last, dates.last == date, id - last <= Self.widestStep {
      lasts[lasts.count - 1] = id
    } else {
      dates.append(date)
      firsts.append(id)
      lasts.append(id)
    }
  }
}
