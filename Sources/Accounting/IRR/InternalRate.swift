import Glibc

/// What a search for an internal rate of return ended with.
public enum IRRStatus: String, Sendable, CaseIterable {
  /// Exactly one rate balances the flows.
  case solved
  /// More than one rate does; the one nearest zero growth is given, with the count.
  case severalRoots = "several_roots"
  /// All flows have one sign: nothing was paid, or nothing came back.
  case noSignChange = "no_sign_change"
  /// Both signs occur, and yet no rate balances them.
  case noRoot = "no_root"
  /// All flows that are not zero lie on one date.
  case tooShort = "too_short"
  /// Only payments, and a closing value of exactly zero: −100 % by definition.
  case totalLoss = "total_loss"
  /// A value that the rate needs is not known.
  case incomplete
}

/// A money-weighted return and how it was found; a pure function of flows, value, date, convention.
public struct IRRResult: Hashable, Sendable {
  /// How the search ended; the numbers below exist only for a rate or a total loss.
  public let status: IRRStatus
  /// Annual growth g = ln(1 + r), the true root correctly rounded to the grid of `GrowthGrid`.
  ///
  /// Under `monthly_nominal` it is 12 × the monthly growth. Nil without a rate, and for a total
  /// loss, whose growth is −∞.
  public let logGrowth: Double?
  /// The annual rate as a fraction; nil where g is beyond what a rate can tell (< −36 or > 709).
  ///
  /// `xirr_act365`: e^g − 1. `monthly_nominal`: 12 × the monthly rate. Total loss: −1.
  public let rate: Double?
  /// How many rates balance the flows: 1 if solved.
  public let roots: Int
  /// From the first flow to the last; nil where it is not known.
  private let years: Double?

  /// The growth over the whole period from the first flow to the last, as a fraction: e^(g·T) − 1.
  public var periodReturn: Double? {
    if status == .totalLoss { return -1 }
    guard let logGrowth, let years else { return nil }
    let total = expm1(logGrowth * years)
    return total.isFinite ? total : nil
  }

  /// The result of a holding whose value is not known.
  public static let incomplete = IRRResult(.incomplete)

  init(_ status: IRRStatus) {
    self.init(status, logGrowth: nil, rate: status == .totalLoss ? -1 : nil, roots: 0, years: nil)
  }

  /// The result of a growth on the grid; every path to a rate ends here.
  ///
  /// - Parameters:
  ///   - span: From the first flow to the last, in the convention's unit.
  ///   - unitsPerYear: 365 days or 12 months.
  init(growth: Double, roots: Int, span: Int32, unitsPerYear: Double, nominal: Bool) {
    let isTold = growth >= -36 && growth <= 709
    self.init(
      roots == 1 ? .solved : .severalRoots, logGrowth: growth,
      rate: !isTold ? nil : nominal ? 12 * expm1(growth / 12) : expm1(growth), roots: roots,
      years: Double(span) / unitsPerYear)
  }

  init(_ status: IRRStatus, logGrowth: Double?, rate: Double?, roots: Int, years: Double?) {
    self.status = status
    self.logGrowth = logGrowth
    self.rate = rate
    self.roots = roots
    self.years = years
  }
}

/// An amount on a date, seen by the investor: paid in is negative, received is positive.
public struct DatedFlow: Hashable, Sendable {
  /// The date.
  public var day: Day
  /// The amount; its size does not matter, only its proportion to the others.
  public var amount: Double

  /// An amount on a date.
  @inlinable public init(day: Day, amount: Double) {
    self.day = day
    self.amount = amount
  }
}

/// The internal rate of return: the growth at which everything paid equals everything received.
///
/// See `docs/irr.md` for conventions, statuses, the algorithm and why the last digit is certain.
public enum InternalRate {
  /// Solves one series.
  ///
  /// - Parameters:
  ///   - flows: In any order; flows of one date are netted, zeros do not matter.
  ///   - closingValue: What the investment is worth; nil if it is among the flows already.
  ///   - day: The date of the closing value; unused without one.
  ///   - convention: How the rate is annualised.
  public static func solve(
    _ flows: [DatedFlow], closingValue: Double?, on day: Day,
    convention: IRRConvention = .xirrAct365
  ) -> IRRResult {
    var solver = InternalRateSolver(capacity: flows.count + 1)
    return solver.solve(
      count: flows.count, flow: { flows[$0] }, closingValue: closingValue, on: day,
      convention: convention)
  }

  /// Solves many series laid end to end, without an allocation for each.
  ///
  /// - Parameters:
  ///   - days: Day numbers of all flows, series after series; ascending within one is fastest.
  ///   - amounts: The amount of each.
  ///   - offsets: Where each series starts, and at the end the count of all flows.
  ///   - closingValues: Of each series; empty if every closing value is among its flows.
  ///   - day: The date of the closing values; unused without them.
  ///   - convention: How the rates are annualised.
  /// - Returns: A result for each series.
  public static func solve(
    many days: [Int32], amounts: [Double], offsets: [Int], closingValues: [Double] = [],
    on day: Day, convention: IRRConvention = .xirrAct365
  ) -> [IRRResult] {
    precondition(days.count == amounts.count, "a day for every amount")
    precondition(
      closingValues.isEmpty || closingValues.count + 1 == offsets.count,
      "a closing value for every series")
    guard let first = offsets.first, let last = offsets.last, first < last || offsets.count > 1
    else { return [] }
    precondition(first >= 0 && last <= days.count, "series lie within the flows")
    var solver = InternalRateSolver(capacity: 64)
    var results: [IRRResult] = []
    results.reserveCapacity(offsets.count - 1)
    days.withUnsafeBufferPointer { days in
      amounts.withUnsafeBufferPointer { amounts in
        for series in 0..<offsets.count - 1 {
          let start = offsets[series]
          results.append(
            solver.solve(
              count: offsets[series + 1] - start,
              flow: {
                DatedFlow(day: Day(number: days[start &+ $0]), amount: amounts[start &+ $0])
              },
              closingValue: closingValues.isEmpty ? nil : closingValues[series], on: day,
              convention: convention))
        }
      }
    }
    return results
  }
}
