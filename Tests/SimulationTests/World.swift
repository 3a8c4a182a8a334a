import Accounting

@testable import Close
@testable import Storage

/// The smallest books in which everything can go wrong: three portfolios, one share, five dates.
enum World {
  static let dates = BusinessCalendar.weekdays(from: "2017-06-28", count: 5)
  static let inception = dates[0] - 9
  static let dollar: Currency = {
    guard let dollar = Currency("USD") else { preconditionFailure("three capitals") }
    return dollar
  }()
  static let share = Instrument(
    id: ID(1), symbol: "OAK", kind: .equity, currency: dollar)

  static let portfolios = (1...3).map { number in
    Portfolio(
      id: ID(Int64(number)), code: "P\(number)", baseCurrency: dollar, inception: inception,
      irrConvention: number == 3 ? .monthlyNominal : .xirrAct365)
  }

  static func holding(of portfolio: ID<Portfolio>) -> ID<Holding> {
    ID(portfolio.rawValue * 10)
  }

  /// A server on which nothing was closed yet.
  static func database(sabotage: Sabotage = []) -> SimulatedDatabase {
    let database = SimulatedDatabase(
      portfolios: portfolios, instrument: share, sabotage: sabotage)
    for (index, date) in ([inception] + dates).enumerated() {
      database.tables.closes[date] = Price(units: Int128(20 + index * index) * 1_000_000_000_000)
    }
    for portfolio in portfolios {
      let id = portfolio.id.rawValue
      database.tables.activities += [
        activity(id * 100, portfolio.id, inception, .deposit, amount: 10_000 * id),
        activity(id * 100 + 1, portfolio.id, inception, .buy, quantity: 100 * id, price: 20),
        activity(id * 100 + 2, portfolio.id, dates[1], .sell, quantity: 30, price: 23),
        activity(id * 100 + 3, portfolio.id, dates[3], .withdrawal, amount: 500),
      ]
    }
    return database
  }

  private static func activity(
    _ id: Int64, _ portfolio: ID<Portfolio>, _ date: Day, _ type: ActivityType,
    quantity: Int64? = nil, price: Int64? = nil, amount: Int64? = nil
  ) -> StoredActivity {
    let isTrade = quantity != nil
    return StoredActivity(
      portfolio: portfolio, instrument: isTrade ? share.id : nil,
      activity: Activity(
        id: id, date: date, type: type, holding: isTrade ? holding(of: portfolio) : nil,
        quantity: quantity.map { Quantity(units: Int128($0) * 1_000_000_000_000) },
        price: price.map { Price(units: Int128($0) * 1_000_000_000_000) },
        amount: amount.map { Money(units: Int128($0) * 10_000) }, currency: dollar),
      reference: nil)
  }

  /// A corrected close, or a deposit that arrives late.
  static func importSomething(
    into database: SimulatedDatabase, _ random: inout some RandomNumberGenerator
  ) {
    let date = dates.randomElement(using: &random) ?? inception
    if Bool.random(using: &random) {
      let units = Int128.random(in: 10_000...50_000, using: &random) * 1_000_000_000
      database.importClose(Price(units: units), on: date)
    } else {
      let portfolio = portfolios.randomElement(using: &random)?.id ?? ID(1)
      database.importActivity(
        activity(
          Int64(database.tables.activities.count) + 1_000, portfolio, date, .deposit,
          amount: Int64.random(in: 1...900, using: &random)))
    }
  }

  // MARK: What is right

  /// The closes of some dates of a portfolio, by the books alone: no claims, no runs, no moments.
  static func closes(
    of portfolio: Portfolio, on dates: [Day], _ tables: SimulatedTables
  ) throws -> [(close: BookClose, portfolioIRR: IRRResult)] {
    let market = Market(
      closes: [
        share.id: tables.closes.map { ClosingPrice(date: $0.key, price: $0.value) }
          .sorted { $0.date < $1.date }
      ])
    let instruments = [holding(of: portfolio.id): share]
    let log = tables.activities.filter { $0.portfolio == portfolio.id }.map(\.activity)
    let calendar = try BusinessCalendar(named: portfolio.calendar)
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    return try dates.map { date in
      let close = try book.close(
        on: date, activities: log, statements: [], market: market,
        businessDays: { calendar.businessDays(after: $0, through: $1) })
      let flows = try PortfolioBook.portfolioFlows(
        portfolio: portfolio, instruments: instruments, history: log, market: market,
        through: date)
      return (
        close,
        InternalRate.solve(
          flows.map { DatedFlow(day: $0.day, amount: $0.amount.approximate) },
          closingValue: close.snapshot.closingEquity.approximate, on: date,
          convention: portfolio.irrConvention)
      )
    }
  }

  /// What is wrong with the tables; nothing, if all is well.
  ///
  /// - Parameter isHealed: Whether every slot has to be complete, without holes, and fresh; else
  ///   a stale slot is excused, and so is what opened from it.
  static func faults(in tables: SimulatedTables, isHealed: Bool) throws -> [String] {
    var faults: [String] = []
    for portfolio in portfolios {
      let rows = tables.rows(of: portfolio.id)
      let complete = rows.filter { $0.row.state == .complete }
      if isHealed, complete.count < rows.count {
        faults.append("\(portfolio.code): \(rows.count - complete.count) placeholders are left")
      }
      let dates = complete.map(\.slot.date)
      let due = World.dates.drop { $0 < dates.first ?? .latest }
      if isHealed, dates.isEmpty || dates != Array(due) {
        faults.append("\(portfolio.code): closed on \(dates)")
      }
      let right = try closes(of: portfolio, on: dates, tables)
      for (stored, expected) in zip(complete, right) {
        if tables.isStale(stored.slot) {
          guard isHealed else { break }
          faults.append("\(portfolio.code) \(stored.slot.date) is stale")
        }
        if stored.row.result?.snapshot != expected.close.snapshot
          || stored.row.result?.portfolioIRR != expected.portfolioIRR
        {
          faults.append(
            """
            \(portfolio.code) \(stored.slot.date): closing equity \
            \(stored.row.result?.snapshot.closingEquity ?? .zero), right is \
            \(expected.close.snapshot.closingEquity)
            """)
          break
        }
      }
    }
    return faults
  }
}

extension BusinessCalendar {
  static func weekdays(from text: String, count: Int) -> [Day] {
    guard let first = Day(text), let calendar = try? BusinessCalendar(named: "weekdays") else {
      return []
    }
    return Array(calendar.businessDayList(after: first - 1, through: first + 30).prefix(count))
  }
}
