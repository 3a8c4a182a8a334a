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
  /// What does not fit together in any closed date, in words.
  func contradictions() async throws -> [String] {
    try await perform { db in
      var found: [String] = []
      try db.forEachClosed(codes: [], from: .earliest, through: .latest) { dates in
        found += dates.flatMap(\.contradictions)
      }
      return found
    }
  }
}
