@testable import Accounting

/// What is true of every portfolio, whatever happens in it.
enum Law: String, CaseIterable {
  case closes = "every date can be closed"
  case equity = "closing equity = opening equity + P&L + flow = long + short + cash"
  case attribution = "P&L is the sum of its parts, of each holding and of the portfolio"
  case holdings = "the portfolio is the sum of its holdings and its cash"
  case life = "P&L over a life is what came out less what went in"
  case lots = "lots lie on one side and sum to the position"
  case reopening = "a segment gives what reopening from the stored rows each time gives"
  case history = "the flows of a whole history are those of the closes"
  case order = "the order of import does not matter, nor that of unrelated holdings"
  case gap = "one close over a gap ends where closing every date ends"
  case split = "doubling the units by a split changes no amount"
  case unit = "another unit of the base currency changes nothing else"
  case plain = "the equity is that of a plain second telling in floating point"
}

/// How often each law was tried, and where it was broken.
struct LawVerdict: Sendable {
  private(set) var tried: [Law: Int] = [:]
  private(set) var broken: [Law: [String]] = [:]
  private(set) var seen: [String: Int] = [:]
  /// Of the books of all seeds below each number of them: see `BookDigest`.
  private(set) var digests: [Int: Fingerprint] = [:]

  mutating func tally(_ law: Law) { tried[law, default: 0] += 1 }

  /// Counts a kind of event; a generator that never makes one proves nothing about it.
  mutating func saw(_ event: String) { seen[event, default: 0] += 1 }

  /// Adds what the books of a seed said.
  mutating func add(_ digest: Fingerprint, of seed: UInt64) {
    for count in BookDigest.known.keys where seed < count {
      digests[count] = digests[count].map { $0 + digest } ?? digest
    }
  }

  /// Keeps the first few places only.
  mutating func breaks(_ law: Law, _ place: @autoclosure () -> String) {
    if broken[law, default: []].count < 5 { broken[law, default: []].append(place()) }
  }

  static func + (left: LawVerdict, right: LawVerdict) -> LawVerdict {
    var sum = left
    sum.tried.merge(right.tried, uniquingKeysWith: +)
    sum.broken.merge(right.broken, uniquingKeysWith: +)
    sum.seen.merge(right.seen, uniquingKeysWith: +)
    sum.digests.merge(right.digests, uniquingKeysWith: +)
    return sum
  }
}

/// Holds one random portfolio against every law.
struct LawTrial {
  let seed: UInt64
  let ledger: RandomLedger
  private(set) var closes: [BookClose] = []
  var verdict: LawVerdict

  init(seed: UInt64, adding verdict: consuming LawVerdict) {
    self.seed = seed
    self.verdict = verdict
    ledger = RandomLedger(seed: seed)
  }

  mutating func run() {
    do {
      verdict.tally(.closes)
      try segment()
      checkLife()
      try checkReopening()
      try checkHistory()
      try checkOrder()
      try checkGap()
      try checkSplit()
      try checkUnit()
      try checkPlain()
    } catch {
      verdict.breaks(.closes, "seed \(seed): \(error)")
    }
  }

  mutating func expect(_ law: Law, _ holds: Bool, _ place: @autoclosure () -> String = "") {
    if !holds { verdict.breaks(law, "seed \(seed) \(place())") }
  }

  private mutating func segment() throws {
    for law in [Law.equity, .attribution, .holdings, .lots] { verdict.tally(law) }
    var book = ledger.newBook()
    var hasher = FingerprintHasher()
    for date in ledger.closingDates {
      let close = try ledger.close(&book, on: date)
      checkIdentities(close)
      checkLots(of: book)
      hasher.write(close)
      hasher.write(book)
      closes.append(close)
    }
    verdict.add(hasher.finish(), of: seed)
  }

  private mutating func checkIdentities(_ close: BookClose) {
    let snapshot = close.snapshot
    var sum = Snapshot.Sums()
    for row in close.holdings {
      sum.add(row)
      expect(.attribution, row.dailyPnL == row.attribution.total, "\(row)")
      expect(.attribution, row.marketValue == row.costBasis + row.unrealized + row.unrealizedFX)
    }
    let place = "on \(snapshot.date)"
    let flow = snapshot.inflow - snapshot.outflow
    expect(.equity, snapshot.closingEquity == snapshot.openingEquity + snapshot.dailyPnL + flow)
    expect(
      .equity,
      snapshot.closingEquity == snapshot.longValue + snapshot.shortValue + snapshot.cash, place)
    expect(
      .equity, closes.last.map { $0.snapshot.closingEquity } ?? .zero == snapshot.openingEquity)
    expect(.attribution, snapshot.dailyPnL == snapshot.attribution.total, place)
    expect(.holdings, snapshot.longValue == sum.long && snapshot.shortValue == sum.short, place)
    expect(.holdings, snapshot.unrealizedPnL == sum.unrealized, place)
    let value = sum.long + sum.short
    expect(.holdings, ledger.hasFuture || snapshot.netExposure == value, place)
    // Prices move holdings only: what belongs to no holding is never price gain.
    expect(.holdings, snapshot.attribution.realized == sum.parts.realized, place)
    expect(.holdings, snapshot.attribution.unrealizedChange == sum.parts.unrealizedChange, place)
    let counted = snapshot.pricedCount + snapshot.carriedCount + snapshot.missingCount
    let open = close.holdings.count(where: { !$0.quantity.isZero })
    expect(.holdings, counted == open, place)
    if !close.cashBalances.isEmpty {
      let cash = close.cashBalances.reduce(Money.zero) { $0 + $1.baseValue }
      expect(.holdings, cash == snapshot.cash, place)
    }
  }

  private mutating func checkLots(of book: PortfolioBook) {
    guard book.portfolio.lotRelief != .average else { return }
    for ledger in book.ledgers where !ledger.isValued && !ledger.isFuture {
      let position = ledger.position
      expect(.lots, position.areLotsKnown)
      var sum = PositionTotals(quantity: .zero, localCost: .zero, costBasis: .zero)
      for lot in position.lots {
        expect(.lots, (lot.quantity < .zero) == (position.quantity < .zero), "\(lot)")
        expect(.lots, !lot.quantity.isZero, "\(lot)")
        sum.quantity += lot.quantity
        sum.localCost += lot.localCost
        sum.costBasis += lot.costBasis
      }
      expect(.lots, sum == position.totals, "\(sum), \(position.totals)")
    }
  }

  private mutating func checkLife() {
    verdict.tally(.life)
    var profits: [ID<Holding>: Money] = [:]
    var total = Money.zero
    var flows: [ID<Holding>?: Money] = [:]
    for close in closes {
      total += close.snapshot.dailyPnL
      for row in close.holdings { profits[row.holding, default: .zero] += row.dailyPnL }
      for flow in close.flows { flows[flow.holding, default: .zero] += flow.amount }
    }
    guard let last = closes.last else { return }
    var values: [ID<Holding>: Money] = [:]
    for row in last.holdings { values[row.holding] = row.marketValue }
    for (holding, profit) in profits where !ledger.isFuture(holding) {
      let cameOut = values[holding, default: .zero] + flows[holding, default: .zero]
      expect(.life, profit == cameOut, "holding \(holding): \(profit), not \(cameOut)")
    }
    expect(.life, total == last.snapshot.closingEquity + flows[nil, default: .zero], "portfolio")
    expect(.life, total == last.snapshot.cumulativePnL, "cumulative")
  }
}

extension Snapshot {
  /// What the rows of holdings make.
  struct Sums {
    var long = Money.zero
    var short = Money.zero
    var unrealized = Money.zero
    var parts = Attribution()

    mutating func add(_ row: HoldingSnapshot) {
      if row.marketValue < .zero { short += row.marketValue } else { long += row.marketValue }
      unrealized += row.unrealized
      parts += row.attribution
    }
  }
}
