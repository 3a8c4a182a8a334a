import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport

/// A small history, drawn by a seed.
///
/// Days pass, and what is imported in between comes late as often as not. Portfolios are retired,
/// before and after their last closes, and their codes used again.
struct RetirementHistory {
  let books: DemoBooks
  var random: SeededGenerator
  var today = Self.first
  var lockedThrough: Day?
  private var number = 0
  private var inceptions: [String: Day] = [:]

  private static let inception = Day(year: 2024, month: 1, day: 1)
  private static let first = inception + 1
  private static let monthEnd = inception + 30

  private static let codes = ["ALPHA", "BETA", "GAMMA"]
  private static let calendars = ["ALPHA": "every_day", "BETA": "weekdays", "GAMMA": "XNYS"]
  private static let header = "code,name,base_currency,inception_date,calendar,retired_on\n"

  init(_ books: DemoBooks, seed: UInt64) {
    self.books = books
    random = SeededGenerator(seed: seed)
  }

  // MARK: - Beginning

  mutating func begin() async throws {
    try await importing(.instruments, "symbol,name,kind,currency\nACME,Acme,equity,USD\n")
    for code in Self.codes { try await open(code, on: Self.inception) }
    try await importing(.prices, "date,symbol,close\n2024-01-02,ACME,100\n")
    for code in Self.codes { try await trade(code, on: today) }
  }

  private mutating func open(_ code: String, on date: Day) async throws {
    inceptions[code] = date
    let calendar = Self.calendars[code] ?? "weekdays"
    try await importing(.portfolios, Self.header + "\(code),\(code),USD,\(date),\(calendar),\n")
  }

  // MARK: - What happens

  /// A date near today, before it oftener than after it.
  private mutating func someDate() -> Day { max(today - 12 + random.below(14), Self.first) }

  /// Something is imported; rows that come too late may be refused.
  mutating func importSomething() async throws {
    let code = random.pick(Self.codes)
    switch random.below(8) {
    case 0, 1: try await retire(code)
    case 2, 3, 4: try await trade(code, on: someDate())
    default:
      try await importing(
        .prices, "date,symbol,close\n\(someDate()),ACME,\(80 + random.below(40)).\(number % 9)\n")
    }
  }

  private mutating func trade(_ code: String, on date: Day) async throws {
    let owner = try await owner(of: code)
    try await importing(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,price,amount
      D\(number),\(owner),\(date),deposit,,,,\(1_000 + random.below(500))
      B\(number),\(owner),\(date),buy,ACME,\(1 + random.below(5)),\(90 + random.below(20)),

      """)
  }

  /// The code alone, or one of the portfolios that have or had it.
  private mutating func owner(of code: String) async throws -> String {
    let names = try await books.texts(
      "select code || '#' || id from closebell.portfolios where code = '\(code)' order by id")
    return random.chance(oneIn: 2) ? code : random.pick(names)
  }

  private mutating func retire(_ code: String) async throws {
    let last = max(someDate(), inceptions[code] ?? today)
    let calendar = Self.calendars[code] ?? "weekdays"
    let inception = inceptions[code] ?? today
    try await importing(
      .portfolios, Self.header + "\(code),\(code),USD,\(inception),\(calendar),\(last)\n")
    try await open(code, on: last + 1 + random.below(3))
  }

  /// Imports a text; rows of it may be refused.
  private mutating func importing(_ kind: ImportKind, _ text: String) async throws {
    number += 1
    let connection = try await books.connect()
    _ = try await runImport(
      ImportRequest(kind: kind, source: .bytes(Array(text.utf8))), on: connection)
    await connection.close()
  }

  // MARK: - Closing

  /// Runs the night until it says that all is done.
  func close() async throws -> RunReport {
    var report = try await books.close(today.description, Self.settings)
    for _ in 0..<3 where report.exitCode != 0 {
      report = try await books.close(today.description, Self.settings)
    }
    return report
  }

  static let settings = DemoBooks.settings(workers: 1, chunk: 3) { $0.maxCatchUp = 1_000 }

  /// Locks the last month that is over, if it is not locked.
  mutating func lockMonth() async throws {
    let (year, month, _) = today.parts
    let first = Day(year: year, month: month, day: 1)
    let last = first - 1
    guard last >= Self.monthEnd, lockedThrough.map({ $0 < last }) ?? true else { return }
    let (before, number, _) = last.parts
    let request = Self.request(Day(year: before, month: number, day: 1), last)
    _ = try await books.perform { db in try PeriodLocking.lock(request, on: db) }
    lockedThrough = last
  }

  /// Opens every month.
  func unlock() async throws {
    let request = Self.request(Self.inception, Self.monthEnd)
    _ = try await books.perform { db in try PeriodLocking.unlock(request, on: db) }
  }

  private static func request(_ first: Day, _ last: Day) -> LockRequest {
    LockRequest(
      first: first, last: last, codes: [],
      author: PeriodLocks.Author(name: "test", reason: "reported"))
  }
}
