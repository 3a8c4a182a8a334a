package import Accounting

/// Returns over the periods that end with a closed date, by the periods' names.
package struct ReturnsResult: Codable, Sendable {
  /// In the order of the periods.
  package var periods: [(period: ReturnPeriod, figures: ReturnFigures)]

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: NameKey.self)
    periods = try ReturnPeriod.allCases.compactMap { period in
      let key = NameKey(stringValue: period.rawValue)
      guard container.contains(key) else { return nil }
      return (period, try container.decode(ReturnFigures.self, forKey: key))
    }
  }

  init(periods: [(period: ReturnPeriod, figures: ReturnFigures)]) { self.periods = periods }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NameKey.self)
    for (period, figures) in periods {
      var figures = figures
      // Only of this period can it be true, and so only there it is told.
      if period != .sinceInception { figures.isOfRestartedIndex = nil }
      try container.encode(figures, forKey: NameKey(stringValue: period.rawValue))
    }
  }
}

/// A return over a period by three measures, as fractions; or why there is none.
package struct ReturnFigures: Codable, Sendable {
  /// The date of the close that it is measured from; nil where there is none.
  package var from: Day?
  package var to: Day
  package var days: Int?
  package var linked: Double?
  package var annualized: Double?
  package var grossOfFees: Double?
  package var modifiedDietz: Double?
  package var reason: PeriodReturn.Reason?
  /// Whether a new chain of returns began within; nil where that is no question.
  package var isOfRestartedIndex: Bool?

  private enum CodingKeys: String, CodingKey {
    case from, to, days, linked
    case annualized = "annualised"
    case grossOfFees = "gross_of_fees"
    case modifiedDietz = "modified_dietz"
    case reason
    case isOfRestartedIndex = "index_restarted"
  }

  init(_ value: PeriodReturn) {
    from = value.from
    to = value.to
    days = value.days
    linked = value.linked
    annualized = value.annualized
    grossOfFees = value.grossOfFees
    modifiedDietz = value.modifiedDietz
    reason = value.reason
    isOfRestartedIndex = value.isOfRestartedIndex
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(from, forKey: .from)
    try container.encode(to, forKey: .to)
    try container.encodeIfPresent(days, forKey: .days)
    try container.encodeIfPresent(linked, forKey: .linked)
    try container.encodeIfPresent(annualized, forKey: .annualized)
    try container.encodeIfPresent(grossOfFees, forKey: .grossOfFees)
    try container.encodeIfPresent(modifiedDietz, forKey: .modifiedDietz)
    try container.encodeIfPresent(reason, forKey: .reason)
    if let isOfRestartedIndex {
      try container.encode(isOfRestartedIndex, forKey: .isOfRestartedIndex)
    }
  }
}

extension PeriodReturn.Reason: Codable {}
