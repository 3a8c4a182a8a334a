/// An export of another program that is read as it is.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// Transactions of Portfolio Performance.
  case portfolioPerformance = "portfolio-performance"
  /// The trades section of a Flex query of Interactive Brokers.
  case interactiveBrokers = "interactive-brokers"
  /// Activities of Ghostfolio, as it imports them.
  case ghostfolio
}
