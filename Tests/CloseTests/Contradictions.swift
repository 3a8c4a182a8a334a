import Accounting
import Close
import Postgres
import Storage
import TestSupport

extension ShownSnapshot {
  /// What does not fit together in a date as it was read, in words.
  var contradictions: [String] {
    let snapshot = stored.snapshot
    let held = holdings.reduce(Money.zero) { $0 + $1.row.marketValue }
    let place = "\(portfolio.code) on \(snapshot.date)"
    var found: [String] = []
    if snapshot.closingEquity != snapshot.longValue + snapshot.shortValue + snapshot.cash {
      found.append("\(place): closing \(snapshot.closingEquity)")
    }
    if snapshot.closingEquity
      != snapshot.openingEquity + snapshot.dailyPnL + snapshot.netExternalFlow
    {
      found.append("\(place): opening \(snapshot.openingEquity), closing \(snapshot.closingEquity)")
    }
    if snapshot.longValue + snapshot.shortValue != held {
      found.append(
        "\(place): long \(snapshot.longValue) and short \(snapshot.shortValue), holdings \(held)")
    }
    return found
  }
}

extension DemoBooks {
  /// What is wrong with the closed dates though no change of an input is known that they have not
  /// seen, in words: a date that contradicts itself, or that its inputs do not give.
  func contradictions() async throws -> [String] {
    let found = try await perform { db in
      var found: [String] = []
      try db.forEachClosed(codes: [], from: .earliest, through: .latest) { dates in
        found += dates.flatMap(\.contradictions)
      }
      return found
    }
    let verified = try await verify()
    let wrong = verified.findings.filter { finding in
      finding.dates.keys.contains { $0 != .stale }
    }
    return found + wrong.map { "\($0)" }
      + verified.chain.filter { $0.count > 0 }.map { "\($0)" }
  }
}
