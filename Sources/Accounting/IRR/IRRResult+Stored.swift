extension IRRResult {
  /// A result as its row says it; how long the period was is not kept.
  ///
  /// - Parameters:
  ///   - status: How the search ended.
  ///   - logGrowth: Annual growth on the grid; nil without a rate.
  ///   - rate: The annual rate as a fraction; nil where there is none.
  ///   - roots: How many rates balance the flows.
  public init(stored status: IRRStatus, logGrowth: Double?, rate: Double?, roots: Int) {
    self.init(status, logGrowth: logGrowth, rate: rate, roots: roots, years: nil)
  }
}
