import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport

/// The books of one scenario, written as files and closed on chosen dates.
struct CaseBooks {
  static let code = "CASE"

  private let terms: String
  private var instruments = "symbol,name,kind,currency,pricing\n"
  private var prices = "date,symbol,close\n"
  private var rates = "date,base,quote,rate\n"
  private var activities =
    "id,portfolio,date,type,symbol,quantity,price,amount,fee,currency\n"
  private var statements = "portfolio,symbol,date,value\n"
  private var count = 0

  init(
    base: String, inception: String, relief: String = "average", cash: String = "base",
    convention: String = "xirr_act365"
  ) {
    terms = """
      code,name,base_currency,inception_date,calendar,lot_relief,cash,irr_convention
      \(Self.code),Case,\(base),\(inception),every_day,\(relief),\(cash),\(convention)

      """
  }

  mutating func hold(_ symbol: String, in currency: String, isValued: Bool = false) {
    instruments +=
      "\(symbol),\(symbol),\(isValued ? "fund,\(currency),valued" : "equity,\(currency),quoted")\n"
  }

  mutating func price(_ symbol: String, _ date: String, _ close: Double) {
    prices += "\(date),\(symbol),\(decimal(close))\n"
  }

  mutating func rate(_ base: String, _ quote: String, _ date: String, _ rate: Double) {
    rates += "\(date),\(base),\(quote),\(decimal(rate))\n"
  }

  mutating func state(_ symbol: String, _ date: String, _ value: Double) {
    statements += "\(Self.code),\(symbol),\(date),\(decimal(value, 4))\n"
  }

  /// A row of the activity log.
  mutating func log(
    _ date: String, _ type: String, _ symbol: String = "", quantity: Double? = nil,
    price: Double? = nil, amount: Double? = nil, fee: Double = 0, currency: String = ""
  ) {
    count += 1
    let cells = [
      "\(count)", Self.code, date, type, symbol, quantity.map { decimal($0) } ?? "",
      price.map { decimal($0) } ?? "", amount.map { decimal($0, 4) } ?? "",
      decimal(fee, 4), currency,
    ]
    activities += cells.joined(separator: ",") + "\n"
  }

  /// Imports everything and closes the dates, one after the other.
  func closed(on dates: [String]) async throws -> ClosedCase {
    let books = DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "published_case") { url in
        let connection = try await DemoBooks(conninfo: url).connect()
        try await connection.perform { db in _ = try Migrator.migrate(on: db) }
        await connection.close()
      })
    for (kind, text) in [
      (ImportKind.instruments, instruments), (.portfolios, terms), (.prices, prices),
      (.fxRates, rates), (.activities, activities), (.valuations, statements),
    ] where text.split(separator: "\n").count > 1 {
      try await books.importText(kind, text)
    }
    for date in dates {
      let report = try await books.close(
        date, DemoBooks.settings(workers: 1) { $0.catchesUp = false })
      guard report.counts.completed == 1 else {
        throw NotClosed(date: date, failures: "\(report.failures)")
      }
    }
    return ClosedCase(books: books, last: dates[dates.count - 1])
  }

  struct NotClosed: Error {
    var date: String
    var failures: String
  }
}

/// A scenario's closed books, and the numbers of its tables.
struct ClosedCase {
  let books: DemoBooks
  let last: String

  /// What a query of one number gives, with the portfolio's closes as `s`.
  func number(_ expression: String, where condition: String = "true") async throws -> Double? {
    try await books.perform { db in
      try db.row(
        Postgres.Statement.once(
          "case-number",
          """
          select (\(expression))::float8 from closebell.portfolio_snapshots s
          where s.is_complete and \(condition)
          """)
      ) { try $0.nextDoubleOrNil() } ?? nil
    }
  }

  /// A column of a date's close; the last one's unless another is named.
  func at(_ column: String, _ date: String? = nil) async throws -> Double? {
    try await number("max(s.\(column))", where: "s.snapshot_date = '\(date ?? last)'")
  }

  /// The sum of a column over the closes after a date.
  func sum(_ column: String, after date: String = "1900-01-01") async throws -> Double? {
    try await number("sum(s.\(column))", where: "s.snapshot_date > '\(date)'")
  }

  /// A sum over the holdings' rows of a date.
  func holdings(_ column: String, _ date: String? = nil) async throws -> Double? {
    try await number(
      """
      select sum(v.\(column)) from closebell.portfolio_fund_valuations v
      where v.valuation_date = '\(date ?? last)'
      """, where: "s.snapshot_date = '\(date ?? last)'")
  }

  /// What `show` shows of a date.
  func shown(_ date: String? = nil) async throws -> ShownSnapshot? {
    try await books.shown(CaseBooks.code, date ?? last)
  }

  /// The return of a period that ends with a date.
  func period(_ period: ReturnPeriod, _ date: String? = nil) async throws -> PeriodReturn? {
    try await shown(date)?.returns.first { $0.period == period }?.value
  }

  /// The time-weighted return from one close to another, from their indices.
  func linked(_ from: String, _ through: String) async throws -> Double? {
    guard let start = try await at("return_index", from),
      let end = try await at("return_index", through)
    else { return nil }
    return end / start - 1
  }
}
