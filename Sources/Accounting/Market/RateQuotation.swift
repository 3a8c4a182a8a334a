/// How a rate of exchange was formed from published ones.
public enum RateQuotation: Hashable, Sendable {
  /// The pair itself was published.
  case direct(DatedRate)
  /// The pair the other way round was published.
  case inverse(DatedRate)
  /// Both currencies were published against a third.
  case cross(RateCrossing)

  /// The date of its older publication.
  public var date: Day {
    switch self {
    case .direct(let rate), .inverse(let rate): rate.date
    case .cross(let crossing): crossing.date
    }
  }

  /// The least of what was published: two negative rates would make a positive one.
  var least: Rate {
    switch self {
    case .direct(let rate), .inverse(let rate): rate.rate
    case .cross(let crossing): min(crossing.first.rate, crossing.second.rate)
    }
  }

  /// The rate: an inverse or a cross is rounded once, half to even, at twelve decimals.
  public func rate() throws(ArithmeticError) -> Rate {
    switch self {
    case .direct(let published): published.rate
    case .inverse(let published): try Rate.one.divided(by: published.rate)
    case .cross(let crossing): try crossing.rate()
    }
  }

  /// The rate as a calculation; nil where it was published as it is.
  func formula(from: Currency, to: Currency) throws(ArithmeticError) -> Formula? {
    let expression: Expression
    switch self {
    case .direct: return nil
    case .inverse(let published): expression = .of(Rate.one) / .of(published.rate)
    case .cross(let crossing): expression = crossing.expression
    }
    return .twelve("1 \(from) in \(to)", expression, try rate())
  }
}

/// Two published rates that meet in a third currency.
public struct RateCrossing: Hashable, Sendable {
  /// The third currency.
  public let pivot: Currency
  /// Between the first currency and the pivot.
  public let first: DatedRate
  /// Whether it says how much of the first currency a unit of the pivot is.
  public let isFirstInverse: Bool
  /// Between the pivot and the second currency.
  public let second: DatedRate
  /// Whether it says how much of the pivot a unit of the second currency is.
  public let isSecondInverse: Bool

  /// The date of the older one.
  public var date: Day { min(first.date, second.date) }
  private var pivotQuotesBoth: Bool { isFirstInverse && !isSecondInverse }

  func isPreferred(to other: RateCrossing) -> Bool {
    if pivotQuotesBoth != other.pivotQuotesBoth { return pivotQuotesBoth }
    if date != other.date { return date > other.date }
    return pivot < other.pivot
  }

  func rate() throws(ArithmeticError) -> Rate {
    switch (isFirstInverse, isSecondInverse) {
    case (true, false): return try second.rate.divided(by: first.rate)
    case (false, true): return try first.rate.divided(by: second.rate)
    case (false, false): return try first.rate.scaled(by: second.rate)
    case (true, true):
      let (product, isWide) = first.rate.units.multipliedReportingOverflow(by: second.rate.units)
      guard !isWide else { throw .overflow }
      return Rate(units: try rounded(powerOfTen(36), times: 1, over: product))
    }
  }

  var expression: Expression {
    let (first, second) = (Expression.of(first.rate), Expression.of(second.rate))
    return switch (isFirstInverse, isSecondInverse) {
    case (true, false): second / first
    case (false, true): first / second
    case (false, false): first * second
    case (true, true): .of(Rate.one) / (first * second)
    }
  }
}
