/// How many new units come for how many old ones: two positive decimals, kept apart.
///
/// A third is `1:3`, not a decimal that was cut: what is multiplied by a ratio is multiplied once
/// and divided once, and rounded once, half to even. 119 shares three for one and one for three
/// are 119 again.
public struct Ratio: Hashable, Sendable {
  /// New units.
  public let new: Rate
  /// For so many old ones.
  public let old: Rate

  /// So many new units for so many old ones; for one where nothing else is said.
  public init(new: Rate, old: Rate = .one) {
    self.new = new
    self.old = old
  }

  /// Whether both numbers are there.
  public var isPositive: Bool { new > .zero && old > .zero }

  /// What a ratio `new:old` for units that are kept makes of one unit: `new + old : old`.
  var onTop: Ratio { Ratio(new: new + old, old: old) }

  /// A number of old units in new ones, signed alike; rounded once, half to even.
  public func units(for old: Quantity) throws(ArithmeticError) -> Quantity {
    let units = try rounded(old.units, times: new.units, over: self.old.units)
    guard units.magnitude < Quantity.derivedLimit.magnitude else { throw .overflow }
    return Quantity(units: units)
  }

  /// A price of an old unit as one of a new unit; rounded once, half to even.
  public func price(for old: Price) throws(ArithmeticError) -> Price {
    let units = try rounded(old.units, times: self.old.units, over: new.units)
    guard units.magnitude < Price.derivedLimit.magnitude else { throw .overflow }
    return Price(units: units)
  }
}

extension Ratio: CustomStringConvertible {
  /// Why a text is no ratio.
  public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Neither `new:old` nor `new/old`.
    case form
    /// One of the two is no decimal.
    case number(DecimalError)
    /// One of the two is zero or less.
    case notPositive

    /// The reason as an operator reads it.
    public var description: String {
      switch self {
      case .form: "not a ratio of two numbers, new:old"
      case .number(let error): "\(error)"
      case .notPositive: "both numbers of a ratio must be positive"
      }
    }
  }

  /// Reads `new:old` or `new/old`.
  public init(_ text: some StringProtocol) throws(Fault) {
    let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "/" }
    guard parts.count == 2 else { throw .form }
    do throws(DecimalError) {
      self.init(new: try Rate(parts[0]), old: try Rate(parts[1]))
    } catch {
      throw .number(error)
    }
    guard isPositive else { throw .notPositive }
  }

  /// For example `3:2`.
  public var description: String {
    "\(new.text(minimumDecimals: 0)):\(old.text(minimumDecimals: 0))"
  }
}
