import Foundation

/// What must be true of whatever a reading command tells, whenever it is asked.
struct Reading {
  private let command: String
  private let forest: Forest

  init(_ command: String, of forest: Forest) {
    self.command = command
    self.forest = forest
  }

  /// What does not fit together in what a command printed as JSON, in words.
  func contradictions(in text: String) -> [String] {
    let objects = text.split(separator: "\n").map { object(String($0)) }
    // One object over many lines, or one a line.
    guard let whole = object(text) else {
      guard !objects.contains(where: { $0 == nil }) else { return ["no JSON: \(text)"] }
      return objects.compactMap(\.self).flatMap(ofLine) + repeated(objects.compactMap(\.self))
    }
    return switch command {
    case "show": ofSnapshot(whole) + ofHoldings(whole)
    case "status": ofStatus(whole)
    case "verify": ofVerification(whole)
    case "explain": ofExplanation(whole)
    default: ofLine(whole)
    }
  }

  private func object(_ text: String) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]
  }

  private static let amounts = [
    "opening_equity", "net_external_flow", "daily_pnl", "realized_pnl", "unrealized_change",
    "income", "fees", "taxes", "fx_pnl", "prior_period_adjustment", "closing_equity", "cash",
    "long_value", "short_value", "receivables",
  ]

  private func amount(_ object: [String: Any], _ name: String) -> Decimal {
    (object[name] as? String).flatMap { Decimal(string: $0) } ?? 0
  }

  private func sum(_ object: [String: Any], _ names: String...) -> Decimal {
    names.reduce(0) { $0 + amount(object, $1) }
  }

  private func place(_ object: [String: Any]) -> String {
    "\(object["portfolio"] ?? "") \(object["date"] ?? "") \(object["symbol"] ?? "")"
  }

  // MARK: - Snapshots

  private func ofSnapshot(_ snapshot: [String: Any]) -> [String] {
    guard Self.amounts.allSatisfy({ snapshot[$0] is String }) else {
      return ["\(place(snapshot)): amounts are missing"]
    }
    let closing = amount(snapshot, "closing_equity")
    let laws = [
      ("made", sum(snapshot, "opening_equity", "daily_pnl", "net_external_flow")),
      ("composed", sum(snapshot, "cash", "long_value", "short_value", "receivables")),
    ].filter { !($0.1 == closing) }.map {
      "\(place(snapshot)): closing \(closing), \($0.0) of \($0.1)"
    }
    let attributed =
      sum(
        snapshot, "realized_pnl", "unrealized_change", "income", "fx_pnl",
        "prior_period_adjustment") - sum(snapshot, "fees", "taxes")
    return laws
      + (attributed == amount(snapshot, "daily_pnl")
        ? [] : ["\(place(snapshot)): P&L attributed \(attributed)"])
  }

  private func ofHoldings(_ snapshot: [String: Any]) -> [String] {
    guard let holdings = snapshot["holdings"] as? [[String: Any]] else { return ["no holdings"] }
    let held = holdings.reduce(Decimal(0)) { $0 + amount($1, "market_value") }
    let valued = sum(snapshot, "long_value", "short_value")
    return held == valued ? [] : ["\(place(snapshot)): holdings \(held), long and short \(valued)"]
  }

  /// A line of an export.
  private func ofLine(_ line: [String: Any]) -> [String] {
    line["closing_equity"] != nil ? ofSnapshot(line) : []
  }

  private func repeated(_ lines: [[String: Any]]) -> [String] {
    Dictionary(grouping: lines, by: place).filter { $0.value.count > 1 }.map { "twice: \($0.key)" }
  }

  // MARK: - Reports

  /// On each date every portfolio is in one state.
  private func ofStatus(_ status: [String: Any]) -> [String] {
    guard let dates = status["dates"] as? [[String: Any]] else { return ["no dates"] }
    var found: [String] = []
    for date in dates {
      let count = { (name: String) in date[name] as? Int ?? -1_000 }
      let all = ["complete", "claimed", "failed", "missing"].reduce(0) { $0 + count($1) }
      if all != forest.portfolios { found.append("\(date)") }
      if count("stale") + count("locked") > count("complete") { found.append("\(date)") }
    }
    return found
  }

  /// While others import a date may be stale, and one behind a locked month whose rates were
  /// corrected not to be computed; nothing else is ever wrong with one.
  private func ofVerification(_ report: [String: Any]) -> [String] {
    let findings = report["differing"] as? [[String: Any]] ?? [["dates": ["none": []]]]
    let wrong = findings.filter { finding in
      let causes = (finding["dates"] as? [String: Any] ?? [:]).keys
      let failure = (finding["failure"] as? [String: Any])?["error"] as? String
      return causes.contains { $0 != "stale" }
        || failure.map { !Forest.isOfLockedRate("error: " + $0) } ?? false
    }
    let checks = report["checks"] as? [[String: Any]] ?? [["check": "none"]]
    let failed = checks.filter { ($0["count"] as? Int) != 0 }
    return (wrong + failed).map { "\($0)" }
  }

  /// What is stored differs from its calculation only where the date is known to be stale.
  private func ofExplanation(_ explanation: [String: Any]) -> [String] {
    guard let differences = explanation["differences"] as? [Any],
      let isStale = explanation["stale"] as? Bool
    else { return ["\(place(explanation)): no differences are told"] }
    return isStale || differences.isEmpty ? [] : ["\(place(explanation)): \(differences)"]
  }
}
