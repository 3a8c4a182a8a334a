import Accounting
import Glibc
import Testing

@Suite("Returns over periods") struct PeriodReturnTests {
  @Test(
    "a period begins at the end of the day before it",
    arguments: [
      (ReturnPeriod.monthToDate, "2017-06-30", "2017-05-31"),
      (.monthToDate, "2017-07-01", "2017-06-30"), (.monthToDate, "2017-01-15", "2016-12-31"),
      (.quarterToDate, "2017-06-30", "2017-03-31"), (.quarterToDate, "2017-02-28", "2016-12-31"),
      (.yearToDate, "2017-06-30", "2016-12-31"), (.yearToDate, "2017-01-01", "2016-12-31"),
      (.trailingYear, "2017-06-15", "2016-06-15"), (.trailingYear, "2017-02-28", "2016-02-29"),
      (.trailingYear, "2016-02-29", "2015-02-28"), (.trailingYear, "2016-02-28", "2015-02-28"),
      (.trailingYear, "2017-12-31", "2016-12-31"),
      (.trailingThreeYears, "2019-02-28", "2016-02-29"),
      (.trailingFiveYears, "2017-06-30", "2012-06-30"),
    ])
  func starts(_ period: ReturnPeriod, _ end: String, _ start: String) {
    #expect(period.start(endingOn: .iso(end)) == .iso(start))
  }

  @Test("a period is measured from the last close on or before the day it begins at")
  func lastCloseBefore() throws {
    var closes = Closes(since: "2017-01-02", at: "1000")
    closes.close("2017-05-26", gain: "100")
    closes.close("2017-06-05", gain: "110")
    let month = try #require(closes.history.over(.monthToDate))
    #expect(month.from == .iso("2017-05-26"))
    #expect(month.days == 10)
    #expect(month.linked == 0.1)
    let year = try #require(closes.history.over(.yearToDate))
    #expect(year.reason == .beforeFirstClose)
  }

  @Test("a period that begins before the first close has no return, not that of a shorter one")
  func beforeFirstClose() throws {
    var closes = Closes(since: "2017-06-14", at: "1000")
    closes.close("2017-06-30", gain: "10")
    for period in ReturnPeriod.allCases where period != .daily && period != .sinceInception {
      let result = try #require(closes.history.over(period))
      #expect(result.from == nil && result.days == nil)
      #expect(result.linked == nil && result.grossOfFees == nil && result.modifiedDietz == nil)
      #expect(result.reason == .beforeFirstClose)
    }
    let all = try #require(closes.history.over(.sinceInception))
    #expect(all.from == .iso("2017-06-14"))
    #expect(all.linked == 0.01)
  }

  @Test("an inception on the day of the first close counts that day, and completes its month")
  func inceptionDay() throws {
    var world = BookWorld(inception: "2024-02-01")
    world.log("2024-02-01", .deposit, amount: "1000")
    world.log("2024-02-01", .interest, amount: "10")
    world.log("2024-02-02", .interest, amount: "10.1")
    var steps = [PerformanceStep(try world.close("2024-02-01"))]
    let first = PerformanceHistory(steps)
    for period in [ReturnPeriod.daily, .monthToDate, .sinceInception] {
      #expect(first.over(period)?.linked == 0.01)
      #expect(first.over(period)?.from == .iso("2024-01-31"))
      #expect(first.over(period)?.modifiedDietz == 0.01)
    }
    steps.append(PerformanceStep(try world.close("2024-02-02")))
    let month = try #require(PerformanceHistory(steps).over(.monthToDate)?.linked)
    #expect(abs(month - 0.0201) < 1e-15)
    #expect(PerformanceHistory(steps).over(.quarterToDate)?.reason == .beforeFirstClose)
  }

  @Test("a first close later than inception has no return of its own")
  func lateFirstClose() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1000")
    let history = PerformanceHistory([PerformanceStep(try world.close("2024-02-01"))])
    #expect(history.over(.daily)?.reason == .beforeFirstClose)
    #expect(history.over(.sinceInception)?.reason == .indexStarts)
    #expect(history.over(.sinceInception)?.days == 0)
  }

  // Pitfall 19: a return with a negative or zero opening equity is not 0.
  @Test("a return across a close without equity to earn it on is unknown, never 0")
  func indexBreak() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .fee, amount: "1000")
    world.log("2024-01-04", .interest, amount: "5")
    world.log("2024-01-05", .deposit, amount: "95")
    world.log("2024-01-05", .interest, amount: "10")
    world.log("2024-01-08", .interest, amount: "11")
    var steps: [PerformanceStep] = []
    for date in ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"] {
      steps.append(PerformanceStep(try world.close(date)))
    }
    #expect(PerformanceHistory(steps).over(.daily)?.linked == nil)
    #expect(PerformanceHistory(steps).over(.daily)?.reason == .indexBreak)
    #expect(PerformanceHistory(steps).over(.sinceInception)?.reason == .indexStarts)
    for date in ["2024-01-05", "2024-01-08"] {
      steps.append(PerformanceStep(try world.close(date)))
    }
    let history = PerformanceHistory(steps)
    #expect(history.over(.monthToDate)?.reason == .indexBreak)
    #expect(history.over(.monthToDate)?.linked == nil)
    #expect(history.over(.monthToDate)?.grossOfFees == nil)
    #expect(history.over(.sinceInception)?.from == .iso("2024-01-04"))
    let since = try #require(history.over(.sinceInception)?.linked)
    #expect(abs(since - (1.1 * 1.1 - 1)) < 1e-15)
  }

  @Test("a loss of everything is −100 %, and nothing is linked across it")
  func totalLoss() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .fee, amount: "1000")
    world.log("2024-01-03", .deposit, amount: "100")
    world.log("2024-01-03", .interest, amount: "10")
    var steps = [
      PerformanceStep(try world.close("2024-01-01")),
      PerformanceStep(try world.close("2024-01-02")),
    ]
    #expect(PerformanceHistory(steps).over(.monthToDate)?.linked == -1)
    steps.append(PerformanceStep(try world.close("2024-01-03")))
    #expect(PerformanceHistory(steps).over(.monthToDate)?.reason == .indexBreak)
    #expect(PerformanceHistory(steps).over(.sinceInception)?.linked == 0.1)
  }

  @Test("a loss of everything on the day of the inception is not left out of what is told since")
  func totalLossAtOnce() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .fee, amount: "1000")
    world.log("2024-01-02", .deposit, amount: "100")
    world.log("2024-01-02", .interest, amount: "10")
    var steps = [PerformanceStep(try world.close("2024-01-01"))]
    let lost = try #require(PerformanceHistory(steps).over(.sinceInception))
    #expect(lost.linked == -1 && !lost.isOfRestartedIndex)
    steps.append(PerformanceStep(try world.close("2024-01-02")))
    let history = PerformanceHistory(steps)
    let anew = try #require(history.over(.sinceInception))
    #expect(anew.linked == 0.1 && anew.from == .iso("2024-01-01"))
    #expect(anew.isOfRestartedIndex && history.cumulativeReturn == 0.1)
  }

  // Pitfall 33: annualising a few days gives absurd numbers.
  @Test("a period of up to a year is not annualised, a day more is, by 365 days")
  func annualizing() throws {
    for (end, isLonger) in [
      ("2016-06-30", false), ("2017-02-28", false), ("2017-03-01", true), ("2018-03-01", true),
    ] {
      var closes = Closes(since: "2016-02-29", at: "1000")
      closes.close(end, gain: "21")
      let result = try #require(closes.history.over(.sinceInception))
      let days = try #require(result.days)
      #expect(result.linked == 0.021)
      #expect((result.annualized != nil) == isLonger, "\(end)")
      guard let annualized = result.annualized else { continue }
      #expect(abs(annualized - (pow(1.021, 365 / Double(days)) - 1)) < 1e-15)
    }
  }

  @Test("a trailing year of 366 days, or from a close some days before it, is not annualised")
  func trailingYear() throws {
    var closes = Closes(since: "2016-02-26", at: "1000")
    closes.close("2017-02-28", gain: "10")
    let year = try #require(closes.history.over(.trailingYear))
    #expect(year.days == 368)
    #expect(year.linked == 0.01)
    #expect(year.annualized == nil)
  }

  @Test("without a close there is no return, nor where the index began before the closes at hand")
  func nothingBehind() throws {
    #expect(PerformanceHistory([]).over(.monthToDate) == nil)
    #expect(PerformanceHistory([]).over(after: .iso("2017-01-01")) == nil)
    var closes = Closes(since: "2017-06-14", at: "1000")
    closes.close("2017-06-15", gain: "10")
    let last = try #require(closes.steps.last)
    #expect(PerformanceHistory([last]).over(.sinceInception)?.reason == .beforeFirstClose)
    #expect(closes.history.over(after: .iso("2017-06-15")) == nil)
    #expect(closes.history.over(after: .iso("2017-06-14"))?.linked == 0.01)
    #expect(ReturnPeriod.daily.start(endingOn: last.date) == nil)
  }

  @Test("a fee that no close booked counts nowhere, one that cannot be converted makes it stale")
  func strangeFees() throws {
    var closes = Closes(since: "2017-06-14", at: "1000")
    closes.close("2017-06-15", gain: "10")
    func fee(_ date: String, _ amount: Money?, in currency: String) -> Activity {
      Activity(id: 1, date: .iso(date), type: .fee, amount: amount, currency: .iso(currency))
    }
    func gross(_ fees: Activity..., rate: String = "1") throws -> PeriodReturn {
      var history = closes.history
      var world = BookWorld()
      world.rate("CHF", "USD", "2017-06-01", rate)
      history.add(managementFees: fees, in: .iso("USD"), at: world.market)
      return try #require(history.over(.daily))
    }
    #expect(try gross(fee("2017-06-16", .of("5"), in: "USD")).grossOfFees == 0.01)
    #expect(try gross(fee("2017-06-15", nil, in: "USD")).grossOfFees == 0.01)
    #expect(try gross(fee("2017-06-15", .of("5"), in: "CHF"), rate: "2").grossOfFees == 0.02)
    let unknown = try gross(fee("2017-06-15", .of("5"), in: "SEK"))
    #expect(unknown.grossOfFees == nil && unknown.reason == .stale && unknown.linked == 0.01)
    let tooLarge = try gross(
      fee("2017-06-15", .of("999999999999999999"), in: "CHF"), rate: "999999999999")
    #expect(tooLarge.grossOfFees == nil && tooLarge.reason == .stale)
  }
}

/// Closes of a portfolio without flows, written down one by one.
struct Closes {
  private(set) var steps: [PerformanceStep]

  var history: PerformanceHistory { PerformanceHistory(steps) }

  /// The first close, on a date later than inception.
  init(since date: String, at equity: String) {
    steps = [
      PerformanceStep(
        date: .iso(date), openedFrom: nil, openingEquity: .zero, closingEquity: .of(equity),
        inflow: .of(equity), outflow: .zero, dailyReturn: nil, indexSince: .iso(date))
    ]
  }

  mutating func close(_ date: String, gain: String) {
    let last = steps[steps.count - 1]
    let opening = last.closingEquity
    let closing = opening + Money.of(gain)
    steps.append(
      PerformanceStep(
        date: .iso(date), openedFrom: last.date, openingEquity: opening, closingEquity: closing,
        inflow: .zero, outflow: .zero,
        dailyReturn: ReturnMeasures.dailyReturn(
          opening: opening, closing: closing, inflow: .zero, outflow: .zero),
        indexSince: last.indexSince))
  }
}

extension PerformanceStep {
  /// What the snapshot of a close says.
  init(_ close: BookClose) {
    let snapshot = close.snapshot
    self.init(
      date: snapshot.date, openedFrom: snapshot.openedFrom,
      openingEquity: snapshot.openingEquity, closingEquity: snapshot.closingEquity,
      inflow: snapshot.inflow, outflow: snapshot.outflow, dailyReturn: snapshot.dailyReturn,
      indexSince: snapshot.indexSince)
  }
}
