extension IRRResult {
  /// A result as its row says it; the period return is not kept.
  ///
  /// - Parameters:
  ///   - status: How the search ended.
  ///   - logGrowth: Annual growth on the grid; nil without a rate.
  ///   - rate: The annual rate as a fraction; nil where there is none.
  ///   - roots: How many rates balance the flows.
  public init(stored status: IRRStatus, logGrowth: Double?, rate: Double?, roots: Int) {
    self.status = status
    self.logGrowth = logGrowth
    self.rate = rate
    self.roots = roots
    periodReturn = nil
  }
}
