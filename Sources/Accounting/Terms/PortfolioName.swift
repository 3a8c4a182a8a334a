/// What a portfolio is called: a name by which it is found again.
///
/// A code may be used again once its portfolio is retired; its key tells the two apart.
public struct PortfolioName: Hashable, Sendable {
  /// The code.
  public let code: String
  /// The database key.
  public let id: ID<Portfolio>
  /// The last date of a portfolio that was retired before the dates at hand end; nil while it is
  /// active on them.
  public let retiredOn: Day?

  /// The name of a portfolio.
  public init(code: String, id: ID<Portfolio>, retiredOn: Day? = nil) {
    self.code = code
    self.id = id
    self.retiredOn = retiredOn
  }
}

extension PortfolioName: CustomStringConvertible {
  /// `CODE` while it is active, `CODE#ID` once it is retired: what `--portfolio` takes.
  public var description: String { retiredOn == nil ? code : "\(code)#\(id)" }
}

extension PortfolioName: Comparable {
  /// By code, and of one code by key.
  public static func < (left: PortfolioName, right: PortfolioName) -> Bool {
    (left.code, left.id) < (right.code, right.id)
  }
}
