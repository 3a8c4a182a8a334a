import TestSupport

/// Books of many small portfolios, whose rows are corrected again and again.
///
/// Every row has a value that is final and others that came before it, so that whatever was
/// imported in between, the final files lead to the same books. Rows of one date are applied in the
/// order in which they were first imported: so those whose order counts are in all the files, and
/// those that come later are deposits and fees.
struct Forest: Sendable {
  let portfolios: Int
  /// Dates that are closed before any storm.
  static let quietDates = ["2017-05-30", "2017-05-31"]
  let nights: [String]

  /// Which values the rows have.
  enum Version: Sendable {
    case first
    case earlier(Int)
    case final
  }

  typealias File = (kind: String, csv: String)

  /// In euros is IVY, and ASH has one close of two weeks before.
  private static let symbols = ["OAK", "ELM", "IVY", "FIR", "ASH"]
  static let inception = "2017-05-15"

  /// Whether each error says that a lot's cost hangs on a rate that was corrected in a locked
  /// month: then what trades in it is closed once the month is open.
  static func isOfLockedRate(_ errors: String) -> Bool {
    let lines = errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    return !lines.isEmpty && lines.allSatisfy { $0.contains(", but the activity log makes ") }
  }

  var dates: [String] { Self.quietDates + nights }

  /// The kinds whose rows are corrected, in the order in which they are imported.
  static let corrected = [
    "portfolios", "prices", "fx-rates", "corporate-actions", "calendars", "activities",
    "valuations",
  ]

  /// Every file, in the order in which they are imported.
  func files(_ version: Version) -> [File] {
    [(kind: "instruments", csv: Self.instruments)]
      + Self.corrected.map { ($0, file($0, version).csv) }
  }

  func file(_ kind: String, _ version: Version) -> File {
    let rows =
      switch kind {
      case "portfolios": names(version)
      case "prices": prices(version)
      case "fx-rates": rates(version)
      case "corporate-actions": actions(version)
      case "calendars": calendars(version)
      case "activities": activities(version)
      default: valuations(version)
      }
    return (kind, rows.joined(separator: "\n") + "\n")
  }

  private static let instruments =
    "symbol,name,kind,currency,multiplier,pricing\n"
    + symbols.map { "\($0),\($0),equity,\($0 == "IVY" ? "EUR" : "USD"),1,quoted\n" }.joined()
    + "MEADOW,Meadow,fund,USD,1,valued\n"

  /// A number below `bound` that depends on the version; the final one has its own.
  private func number(_ version: Version, _ row: Int, below bound: Int) -> Int {
    let salt =
      switch version {
      case .final: 0
      case .first: 1
      case .earlier(let number): 2 + number
      }
    var random = SeededGenerator(seed: UInt64(row * 1_000 + salt))
    return random.below(bound)
  }

  private func names(_ version: Version) -> [String] {
    ["code,name,base_currency,inception_date,cash,dividends"]
      + (1...portfolios).map { portfolio in
        let base = portfolio % 7 == 3 ? "EUR" : "USD"
        let cash = portfolio % 3 == 0 ? "per_currency" : "base"
        let dividends = portfolio % 2 == 0 ? "automatic" : "recorded"
        return "P\(portfolio),Grove \(number(version, portfolio, below: 90)),\(base),"
          + "\(Self.inception),\(cash),\(dividends)"
      }
  }

  private func prices(_ version: Version) -> [String] {
    let dated = ([Self.inception] + dates).enumerated().flatMap { day, date in
      Self.symbols.enumerated().compactMap { index, symbol -> String? in
        if symbol == "ASH", day > 0 { return nil }
        // A close that is carried over one date.
        if symbol == "ELM", date == Self.quietDates[1] { return nil }
        let cents = number(version, 10_000 + day * 10 + index, below: 900)
        return "\(date),\(symbol),\(20 + 7 * index + cents / 100).\(10 + cents % 90)"
      }
    }
    return ["date,symbol,close"] + dated
  }

  private func rates(_ version: Version) -> [String] {
    ["date,base,quote,rate"]
      + ([Self.inception] + dates).enumerated().map { day, date in
        "\(date),EUR,USD,1.\(100 + number(version, 20_000 + day, below: 99))"
      }
  }

  private func actions(_ version: Version) -> [String] {
    [
      "ex_date,symbol,type,value",
      "2017-05-31,IVY,dividend,0.\(1 + number(version, 30_000, below: 9))",
      "2017-06-01,FIR,split,\(2 + number(version, 30_001, below: 3))",
      "2017-06-02,OAK,dividend,0.\(1 + number(version, 30_002, below: 9))",
    ]
  }

  /// A date after all nights: what was closed on a day that was no holiday stays closed.
  private func calendars(_ version: Version) -> [String] {
    [
      "calendar,date,open",
      "weekdays,2017-07-04,\(number(version, 40_000, below: 2) == 0 ? "true" : "false")",
    ]
  }

  private static let header =
    "id,portfolio,date,type,symbol,quantity,price,amount,currency,status"

  private func activities(_ version: Version) -> [String] {
    [Self.header] + (1...portfolios).flatMap { activities(of: $0, version) }
  }

  private func activities(of portfolio: Int, _ version: Version) -> [String] {
    let symbol = Self.symbols[portfolio % Self.symbols.count]
    let currency = symbol == "IVY" ? "EUR" : "USD"
    let draw = { (row: Int, bound: Int) in
      number(version, 50_000 + portfolio * 100 + row, below: bound)
    }
    let owner = "P\(portfolio)"
    let status = { (row: Int) in draw(row, 3) == 0 ? "cancelled" : "active" }
    var rows = [
      "\(portfolio)-1,\(owner),\(Self.inception),deposit,,,,\(10_000 + draw(1, 900)),USD,active",
      "\(portfolio)-2,\(owner),2017-05-30,buy,\(symbol),\(10 + draw(2, 40)),21.5,,"
        + "\(currency),active",
      "\(portfolio)-3,\(owner),2017-05-\(29 + draw(3, 3)),transfer_in,OAK,"
        + "\(1 + draw(4, 9)),,,USD,\(status(5))",
      "\(portfolio)-4,\(owner),2017-06-0\(1 + draw(6, 2)),sell,\(symbol),\(1 + draw(7, 30)),"
        + "22.25,,\(currency),active",
    ]
    if portfolio % 4 == 1 {
      rows.append(
        "\(portfolio)-5,\(owner),2017-05-29,investment,MEADOW,,,\(700 + draw(8, 90)),USD,active")
    }
    // They come when May may have been reported, and then are booked in June.
    if case .first = version { return rows }
    rows.append(
      "\(portfolio)-6,\(owner),2017-05-31,deposit,,,,\(500 + draw(9, 90)),USD,active")
    rows.append("\(portfolio)-7,\(owner),2017-05-30,fee,,,,\(1 + draw(10, 9)),USD,active")
    return rows
  }

  private func valuations(_ version: Version) -> [String] {
    ["portfolio,symbol,date,value"]
      + stride(from: 1, through: portfolios, by: 4).map {
        "P\($0),MEADOW,2017-05-31,\(650 + number(version, 60_000 + $0, below: 200))"
      }
  }
}

extension OperatorBooks {
  /// Books of a forest, its first dates closed: two portfolios under policies of their own.
  func plant(_ forest: Forest, _ version: Forest.Version) async throws {
    try await expectDone("migrate")
    try await importFiles(forest.files(version))
    let (first, second) = (Forest.quietDates[0], Forest.quietDates[1])
    try await expectDone("run", "--date", first)
    try await expectDone("run", "--date", second, "--portfolio", "P4", "--max-carried-days", "20")
    try await expectDone("run", "--date", second, "--portfolio", "P1", "--max-carried-days", "0")
    try await expectDone("run", "--date", second)
  }

  /// Lets each statement that writes snapshots take its time, so that what falls on a process falls
  /// on work.
  func slowDown() async throws {
    try await execute(
      """
      create function public.take_time() returns trigger language plpgsql as
        $$ begin perform pg_catalog.pg_sleep(0.02); return null; end $$;
      create trigger take_time after insert or update on closebell.portfolio_snapshots
        for each statement execute function public.take_time()
      """)
  }

  func completeSlots() async throws -> Int {
    Int(try await count("select count(*) from closebell.portfolio_snapshots where is_complete"))
  }
}
