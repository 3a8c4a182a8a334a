import Accounting
import Glibc
import TestSupport
import Testing

/// What must hold for returns of any history: seeded random portfolios, closed day by day.
@Suite("Laws of returns over periods") struct PeriodReturnLawsTests {
  @Test("linking a part and the rest gives the whole", arguments: 0..<40)
  func associativity(_ seed: UInt64) throws {
    let life = try RandomLife(seed)
    let whole = PerformanceHistory(life.steps, timing: life.timing)
    for cut in stride(from: 1, to: life.steps.count, by: 7) {
      let day = life.steps[cut - 1].date
      let head = PerformanceHistory(Array(life.steps[..<cut]), timing: life.timing)
      guard let first = head.over(after: life.start), let rest = whole.over(after: day),
        let all = whole.over(after: life.start)?.linked
      else { continue }
      let linked = (1 + (try #require(first.linked))) * (1 + (try #require(rest.linked))) - 1
      #expect(abs(linked - all) <= 1e-12 * (1 + abs(all)), "seed \(seed), cut \(day)")
      #expect(first.to == rest.from)
    }
  }

  @Test("since inception is what the stored index says", arguments: 0..<40)
  func storedIndex(_ seed: UInt64) throws {
    let life = try RandomLife(seed)
    for count in 1...life.steps.count {
      let part = PerformanceHistory(Array(life.steps[..<count]), timing: life.timing)
      guard let linked = part.over(.sinceInception)?.linked else { continue }
      let growth = life.indices[count - 1]
      #expect(abs(linked - (growth - 1)) <= 1e-12 * growth, "seed \(seed), close \(count)")
    }
  }

  @Test("the cumulative return and the one since inception never contradict", arguments: 0..<80)
  func oneTruth(_ seed: UInt64) throws {
    let life = try RandomLife(seed, isEmptied: true)
    var restarted = 0
    for count in 1...life.steps.count {
      let steps = Array(life.steps[..<count])
      let last = steps[count - 1]
      let history = PerformanceHistory(steps, timing: life.timing)
      let all = try #require(history.over(.sinceInception))
      let place: Comment = "seed \(seed), close \(count)"
      if let cumulative = history.cumulativeReturn {
        #expect(all.linked == nil ? count == 1 && cumulative == 0 : cumulative == all.linked, place)
        // The index stays where it was when a new chain starts: what was earned since is the ratio.
        let start = try #require(steps.lastIndex { $0.date == last.indexSince })
        let isOfDay = start == 0 && steps[0].dailyReturn.map { $0 > -1 || count == 1 } == true
        let base = isOfDay || life.indices[start] == 0 ? 1 : life.indices[start]
        let growth = life.indices[count - 1] / base
        #expect(abs(cumulative - (growth - 1)) <= 1e-12 * growth, place)
      } else {
        #expect(all.linked == nil, place)
      }
      #expect(all.isOfRestartedIndex == (last.indexSince > life.start), place)
      restarted += all.isOfRestartedIndex && all.linked != nil ? 1 : 0
      for period in ReturnPeriod.allCases where period != .daily {
        let value = try #require(history.over(period))
        guard value.linked != nil, let from = value.from else { continue }
        #expect(from >= last.indexSince || last.indexSince == life.start, place)
      }
    }
    #expect(restarted > 0, "seed \(seed): nothing was ever linked after a break")
  }

  @Test("without flows, a history with gaps has the return of one closed every night")
  func gaps() throws {
    var nightly = Closes(since: "2024-01-01", at: "1000")
    var gapped = Closes(since: "2024-01-01", at: "1000")
    var kept = Money.zero
    var random = SeededGenerator(seed: 5)
    for number in 2...28 {
      let gain = Money(units: Int128(Int.random(in: -300_000...320_000, using: &random)))
      let date = "2024-01-\(number < 10 ? "0" : "")\(number)"
      nightly.close(date, gain: "\(gain)")
      kept += gain
      guard number % 5 == 3 || number == 28 else { continue }
      gapped.close(date, gain: "\(kept)")
      kept = .zero
    }
    let every = try #require(nightly.history.over(.sinceInception)?.linked)
    let some = try #require(gapped.history.over(.sinceInception)?.linked)
    #expect(abs(every - some) < 1e-13)
  }

  @Test("over one day Modified Dietz is the daily return, whatever the timing", arguments: 0..<40)
  func oneDay(_ seed: UInt64) throws {
    let life = try RandomLife(seed)
    for count in 1...life.steps.count {
      let part = PerformanceHistory(Array(life.steps[..<count]), timing: life.timing)
      guard let day = part.over(.daily), day.days == 1, let linked = day.linked else { continue }
      let dietz = try #require(day.modifiedDietz)
      #expect(abs(dietz - linked) <= 1e-13 * (1 + abs(linked)), "seed \(seed), close \(count)")
    }
  }

  @Test("fees that cost something leave the gross above the net, and without any both are one")
  func grossAndNet() throws {
    for seed in UInt64(0)..<40 {
      let life = try RandomLife(seed)
      let history = PerformanceHistory(life.steps, timing: life.timing)
      guard let net = history.over(after: life.start) else { continue }
      #expect(net.grossOfFees == net.linked)
      var charged = history
      charged.add(managementFees: life.fees, in: .iso("USD"), at: Market())
      let gross = try #require(charged.over(after: life.start))
      #expect(gross.linked == net.linked)
      #expect(try #require(gross.grossOfFees) > (try #require(net.linked)))
    }
  }
}

/// A portfolio of cash alone that earns, pays, takes in and gives out at random.
struct RandomLife {
  var steps: [PerformanceStep] = []
  var indices: [Double] = []
  var fees: [Activity] = []
  let start: Day
  let timing: ReturnMeasures.FlowTiming

  /// - Parameter isEmptied: Whether everything is taken out now and then, or owed.
  init(_ seed: UInt64, isEmptied: Bool = false) throws {
    var random = SeededGenerator(seed: seed)
    timing = ReturnMeasures.FlowTiming.allCases[Int(seed % 3)]
    var world = BookWorld(inception: "2024-01-01", timing: timing)
    func amount(_ range: ClosedRange<Int>) -> String {
      "\(Money(units: Int128(Int.random(in: range, using: &random))))"
    }
    world.log("2024-01-01", .deposit, amount: amount(5_000_000...9_000_000))
    var day = Day.iso("2024-01-02")
    var timesEmptied = 0
    while steps.count < 60 {
      let date = "\(day)"
      if isEmptied, steps.count >= 16 * (timesEmptied + 1), let last = steps.last,
        last.date == day - 1
      {
        timesEmptied += 1
        let equity = last.closingEquity
        // For some days there is nothing, or less than nothing; then it begins anew.
        world.log(date, .withdrawal, amount: "\(equity + Money(units: Int128(seed % 2) * 50_000))")
        for _ in 0...Int.random(in: 0..<3, using: &random) {
          let close = try world.close("\(day)")
          steps.append(PerformanceStep(close))
          indices.append(close.snapshot.index)
          day = day + 1
        }
        world.log("\(day)", .deposit, amount: amount(5_000_000...9_000_000))
        continue
      }
      world.log(date, .interest, amount: amount(-90_000...100_000))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: world.log(date, .deposit, amount: amount(1...4_000_000))
      case 1: world.log(date, .withdrawal, amount: amount(1...60_000))
      case 2: world.log(date, .fee, amount: amount(1...9_000))
      default: break
      }
      if Int.random(in: 0..<4, using: &random) > 0 {
        let close = try world.close(date)
        steps.append(PerformanceStep(close))
        indices.append(close.snapshot.index)
      }
      day = day + 1
    }
    start = steps[0].date
    fees = world.activities.filter { $0.type == .fee }
  }
}
