/// What a fund reported a holding to be worth, after all flows of its date.
public struct FundStatement: Hashable, Sendable {
  /// The holding; its instrument is valued, not quoted.
  public var holding: ID<Holding>
  /// The date of the value.
  public var date: Day
  /// In the instrument's currency.
  public var value: Money

  /// A statement of a holding's value.
  public init(holding: ID<Holding>, date: Day, value: Money) {
    self.holding = holding
    self.date = date
    self.value = value
  }
}
