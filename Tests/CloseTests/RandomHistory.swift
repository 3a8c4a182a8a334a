import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// One thing that happens to books: rows that come or are corrected, a run, a lock, a reading.
///
/// It is a value, so that the same can happen to several databases.
struct HistoryStep: Sendable, CustomStringConvertible {
  enum Deed: Sendable {
    case importing(ImportKind, String)
    case night(Day)
    case replay(ReplayRange)
    case lock(String)
    case unlock(String)
    case reading
  }

  let deed: Deed

  /// Whether it closes dates, so that their numbers can be compared.
  var isRun: Bool {
    switch deed {
    case .night, .replay: true
    case .importing, .lock, .unlock, .reading: false
    }
  }

  /// Lets it happen.
  ///
  /// Rows and locks may be refused, and portfolios may fail: what counts is what is stored after.
  func happen(to books: DemoBooks) async throws {
    let settings = DemoBooks.settings(workers: 1) { $0.maxCatchUp = 1_000 }
    switch deed {
    case .importing(let kind, let text): try await books.importing(kind, text)
    case .night(let date): _ = try await books.close("\(date)", settings)
    case .replay(let range):
      do {
        _ = try await books.replay(
          "\(range.from)", "\(range.through)", onlyStale: range.onlyStale,
          throughLatest: range.throughLatest, settings)
      } catch is LockedRange {}
    case .lock(let month):
      // What is missing is left out for good; over a stale date nothing locks.
      do { try await books.lock(month, force: true) } catch is LockRefused {}
    case .unlock(let month): do { try await books.unlock(month) } catch is LockRefused {}
    case .reading: #expect(try await books.contradictions() == [])
    }
  }

  var description: String {
    switch deed {
    case .importing(let kind, let text):
      "import \(kind.rawValue) "
        + text.split(separator: "\n").dropFirst().joined(separator: " | ")
    case .night(let date): "run \(date)"
    case .replay(let range): "replay \(range.from) \(range.through) stale=\(range.onlyStale)"
    case .lock(let month): "lock \(month)"
    case .unlock(let month): "unlock \(month)"
    case .reading: "reading"
    }
  }
}

/// A history of books that a seed draws: three months of nights, late rows, corrections, locks.
///
/// DOLLAR keeps its cash in dollars and books dividends by itself; EURO keeps a balance a currency;
/// POUND holds a fund that is valued by statements too. All deal in kind without amounts, so that
/// flows rest on closes, rates and splits.
struct RandomHistory {
  private var random: SeededGenerator
  private(set) var today = RandomHistory.first
  private var activities: [String] = []
  private var waiting: [HistoryStep] = []
  private var lastLocked = ""
  private let calendar: BusinessCalendar

  private static let first = Day("2017-01-25") ?? .earliest
  private static let portfolios = ["DOLLAR", "EURO", "POUND"]
  private static let shares = ["OAK", "ELM", "IVY"]

  /// The history of a seed's stream.
  init(stream: UInt64) throws {
    random = SeededGenerator(stream: stream)
    calendar = try BusinessCalendar(named: "weekdays", overrides: [:])
  }

  /// Books before their first night: portfolios, instruments, first closes and rates.
  static func books() async throws -> DemoBooks {
    DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "random_history") { url in
        let books = DemoBooks(conninfo: url)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        for (kind, text) in beginning { try await books.importText(kind, text) }
      })
  }

  private static let beginning: [(ImportKind, String)] = [
    (
      .instruments,
      """
      symbol,name,kind,currency,multiplier,pricing
      OAK,Oak,equity,USD,1,quoted
      ELM,Elm,equity,EUR,1,quoted
      IVY,Ivy,equity,GBP,1,quoted
      FUND,Fund,fund,GBP,1,valued

      """
    ),
    (
      .portfolios,
      """
      code,name,base_currency,inception_date,cash,dividends
      DOLLAR,Dollar,USD,2017-01-02,base,automatic
      EURO,Euro,EUR,2017-01-02,per_currency,automatic
      POUND,Pound,GBP,2017-01-02,base,recorded

      """
    ),
    (
      .prices,
      "date,symbol,close\n2017-01-02,OAK,100\n2017-01-02,ELM,50\n2017-01-02,IVY,20\n"
    ),
    (
      .fxRates,
      "date,base,quote,rate\n2017-01-02,EUR,USD,1.05\n2017-01-02,EUR,GBP,0.85\n"
    ),
    (
      .activities,
      "id,portfolio,date,type,amount\n"
        + portfolios.map { "S-\($0),\($0),2017-01-02,deposit,100000\n" }.joined()
    ),
  ]

  /// What happens next.
  mutating func next() -> HistoryStep {
    if let step = waiting.popLast() { return step }
    // Each month is locked at once when it is over, though not for long.
    if monthBefore != lastLocked, monthBefore >= "\(Self.first)".prefix(7) { return lock() }
    // The first one is over before anything can stand in the way of its lock.
    if lastLocked.isEmpty { return night() }
    switch random.below(21) {
    case 0...6: return night()
    case 7...10: return activity()
    case 11, 12: return price(on: past())
    case 13: return correctedActivity()
    case 14: return rate(on: past())
    case 15: return random.chance(oneIn: 2) ? corporateAction() : statement()
    case 16:
      return step(
        .calendars, "calendar,date,open\n", "weekdays,\(past()),\(random.chance(oneIn: 2))")
    case 17: return replay()
    case 18: return HistoryStep(deed: .reading)
    default:
      return lock()
    }
  }

  private func step(_ kind: ImportKind, _ header: String, _ row: String) -> HistoryStep {
    HistoryStep(deed: .importing(kind, header + row + "\n"))
  }

  /// A date that was closed, or may have been.
  private mutating func past() -> Day {
    Self.first + random.below(today - Self.first + 1)
  }

  /// The closes of the next date or of one a few days on, perhaps not of all, then its night.
  private mutating func night() -> HistoryStep {
    for _ in 0...random.below(4) { today = calendar.next(after: today) ?? today + 1 }
    waiting = [HistoryStep(deed: .night(today))]
    if random.chance(oneIn: 4) { waiting.append(rate(on: today)) }
    for _ in 0..<random.below(3) { waiting.append(price(on: today)) }
    return price(on: today)
  }

  private mutating func price(on date: Day) -> HistoryStep {
    let close = 10 + random.below(200)
    return step(.prices, "date,symbol,close\n", "\(date),\(random.pick(Self.shares)),\(close)")
  }

  private mutating func rate(on date: Day) -> HistoryStep {
    let (quote, cents) = random.chance(oneIn: 2) ? ("USD", 90) : ("GBP", 70)
    return step(
      .fxRates, "date,base,quote,rate\n",
      "\(date),EUR,\(quote),\(Double(cents + random.below(40)) / 100)")
  }

  private mutating func corporateAction() -> HistoryStep {
    let (type, value) = random.chance(oneIn: 3) ? ("split", 2) : ("dividend", 1 + random.below(4))
    return step(
      .corporateActions, "ex_date,symbol,type,value\n",
      "\(past()),\(random.pick(Self.shares)),\(type),\(value)")
  }

  private mutating func statement() -> HistoryStep {
    step(
      .valuations, "portfolio,symbol,date,value\n",
      "POUND,FUND,\(past()),\(1_000 + random.below(9_000))")
  }

  private static let header = "id,portfolio,date,type,symbol,quantity,price,amount,status\n"

  private mutating func activity() -> HistoryStep {
    let row = activity(numbered: activities.count, status: "active")
    activities.append(row.portfolio)
    return step(.activities, Self.header, row.text)
  }

  /// The same activity with other numbers, on another date, or none.
  private mutating func correctedActivity() -> HistoryStep {
    guard !activities.isEmpty else { return activity() }
    let number = random.below(activities.count)
    let status = random.chance(oneIn: 3) ? "cancelled" : "active"
    return step(
      .activities, Self.header,
      activity(numbered: number, status: status, of: activities[number]).text)
  }

  private mutating func activity(
    numbered number: Int, status: String, of portfolio: String? = nil
  ) -> (text: String, portfolio: String) {
    let portfolio = portfolio ?? random.pick(Self.portfolios)
    let quantity = 1 + random.below(50)
    let amount = 100 + random.below(5_000)
    let cells =
      switch random.below(portfolio == "POUND" ? 9 : 7) {
      case 0: "deposit,,,,\(amount)"
      case 1: "withdrawal,,,,\(amount / 4)"
      case 2: "buy,\(random.pick(Self.shares)),\(quantity),\(10 + random.below(90)),"
      case 3: "sell,\(random.pick(Self.shares)),\(1 + quantity / 4),\(10 + random.below(90)),"
      case 4, 5: "transfer_in,\(random.pick(Self.shares)),\(quantity),,"
      case 6: "transfer_out,\(random.pick(Self.shares)),\(1 + quantity / 8),,"
      case 7: "investment,FUND,,,\(amount)"
      default: "regular_withdrawal,FUND,,,\(amount / 10)"
      }
    return ("H\(number),\(portfolio),\(past()),\(cells),\(status)", portfolio)
  }

  /// The month before today's.
  private var monthBefore: String {
    let (year, month, _) = today.parts
    return String("\(Day(year: year, month: month, day: 1) - 1)".prefix(7))
  }

  /// The month before is locked once nothing of it is stale, or one is opened again.
  private mutating func lock() -> HistoryStep {
    if lastLocked == monthBefore, random.chance(oneIn: 2) {
      return HistoryStep(deed: .unlock(String("\(past())".prefix(7))))
    }
    guard monthBefore >= "\(Self.first)".prefix(7) else { return night() }
    lastLocked = monthBefore
    waiting = [HistoryStep(deed: .reading), HistoryStep(deed: .lock(monthBefore))]
    return HistoryStep(deed: .night(today))
  }

  private mutating func replay() -> HistoryStep {
    let (one, other) = (past(), past())
    return HistoryStep(
      deed: .replay(
        ReplayRange(
          from: min(one, other), through: max(one, other), onlyStale: random.chance(oneIn: 2),
          throughLatest: random.chance(oneIn: 2))))
  }
}
