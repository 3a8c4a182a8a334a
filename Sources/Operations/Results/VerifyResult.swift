package import Accounting
package import Close
internal import Storage

/// What a verification found.
package struct VerifyResult: Codable, Sendable {
  /// How many dates were looked at.
  package struct Slots: Codable, Sendable {
    package var verified: Int
    package var differing: Int
    package var leftOut: Int

    private enum CodingKeys: String, CodingKey {
      case verified, differing
      case leftOut = "not_recomputed"
    }
  }

  /// A date that could not be recomputed, and why.
  package struct Failure: Codable, Sendable {
    package var date: Day
    package var error: String
  }

  /// What is wrong with one portfolio.
  package struct Finding: Codable, Sendable {
    package var portfolio: String
    /// The first date that differs.
    package var firstDate: Day?
    /// Of that date: `stale`, `changed` or `corrupt`.
    package var cause: String?
    package var lastGood: Day?
    /// Of the first date.
    package var values: [ValueChange]
    package var dates: DatesByCause
    package var failure: Failure?

    private enum CodingKeys: String, CodingKey {
      case portfolio
      case firstDate = "first_date"
      case cause
      case lastGood = "last_good"
      case values, dates, failure
    }
  }

  /// A check of rows against each other that found something, or nothing.
  package struct Check: Codable, Sendable {
    package var check: String
    package var count: Int
    /// At most a hundred.
    package var rows: [Row]
  }

  /// A row at fault.
  package struct Row: Codable, Sendable {
    package var portfolio: String
    package var date: Day
    package var detail: String
  }

  package var isClean: Bool
  package var slots: Slots
  package var portfolios: Int
  /// By portfolio.
  package var differing: [Finding]
  package var checks: [Check]
  package var seconds: Double

  private enum CodingKeys: String, CodingKey {
    case isClean = "clean"
    case slots, portfolios, differing, checks
    case seconds = "duration_seconds"
  }

  package init(_ report: VerifyReport) {
    isClean = report.isClean
    slots = Slots(
      verified: report.counts.slots, differing: report.counts.differing,
      leftOut: report.counts.leftOut)
    portfolios = report.counts.portfolios
    differing = report.findings.map { Finding($0) }
    checks = report.chain.map { outcome in
      Check(
        check: outcome.check, count: outcome.count,
        rows: outcome.faults.map {
          Row(portfolio: $0.portfolio, date: $0.date, detail: $0.detail)
        })
    }
    seconds = report.seconds
  }
}

extension VerifyResult.Finding {
  init(_ finding: VerifyReport.Finding) {
    self.init(
      portfolio: finding.portfolio.description, firstDate: finding.first?.date,
      cause: finding.first?.cause.rawValue, lastGood: finding.lastGood,
      values: finding.differences.map { ValueChange($0) },
      dates: DatesByCause(
        causes: VerifyReport.Cause.allCases.compactMap { cause in
          finding.dates[cause].map { (cause.rawValue, $0) }
        }),
      failure: finding.failure.map { VerifyResult.Failure(date: $0.date, error: $0.error) })
  }
}

/// Dates that differ, by why they do.
package struct DatesByCause: Codable, Sendable {
  /// The milder causes first.
  package var causes: [(cause: String, dates: [Day])]

  package init(causes: [(cause: String, dates: [Day])]) { self.causes = causes }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: NameKey.self)
    causes = try VerifyReport.Cause.allCases.map(\.rawValue).compactMap { cause in
      let key = NameKey(stringValue: cause)
      guard container.contains(key) else { return nil }
      return (cause, try container.decode([Day].self, forKey: key))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NameKey.self)
    for (cause, dates) in causes {
      try container.encode(dates, forKey: NameKey(stringValue: cause))
    }
  }
}

/// A member whose name is data.
struct NameKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
