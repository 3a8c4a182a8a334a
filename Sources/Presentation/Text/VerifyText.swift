package import Operations
internal import Problems
internal import Text

/// A verification as a person reads it.
package struct VerifyText {
  private let result: VerifyResult
  private let listsAll: Bool

  /// Most portfolios, and values of each, that a reader is shown unless all are wanted.
  private static let portfoliosShown = 20
  private static let valuesShown = 12
  private static let rowsShown = 5

  package init(_ result: VerifyResult, listsAll: Bool) {
    self.result = result
    self.listsAll = listsAll
  }

  package var lines: [String] {
    var lines: [String] = []
    let shown = listsAll ? result.differing.count : Self.portfoliosShown
    for finding in result.differing.prefix(shown) { lines += text(of: finding) }
    if result.differing.count > shown {
      lines.append("and \(result.differing.count - shown) more portfolios; see them with --verbose")
    }
    for check in result.checks where check.count > 0 { lines += text(of: check) }
    return lines + [total]
  }

  private var total: String {
    let slots = result.slots
    let rate = Readable.whole(result.seconds > 0 ? Double(slots.verified) / result.seconds : 0)
    var text = "verified \(slots.verified) dates of \(result.portfolios) portfolios"
    if slots.leftOut > 0 { text += ", \(slots.leftOut) could not be recomputed" }
    text += " in \(Readable.seconds(result.seconds)) (\(rate) a second): "
    if result.isClean { return text + "nothing differs" }
    let faults = result.checks.reduce(0) { $0 + $1.count }
    return text
      + (causes + (faults > 0 ? ["\(faults) rows at fault"] : [])
      + (slots.leftOut > 0 ? ["\(slots.leftOut) not verified"] : [])).joined(separator: ", ")
  }

  /// How many dates differ for each cause.
  private var causes: [String] {
    Self.words.map(\.cause).compactMap { cause in
      let count = result.differing.reduce(0) { sum, finding in
        finding.dates.causes.filter { $0.cause == cause }.reduce(sum) { $0 + $1.dates.count }
      }
      return count > 0 ? "\(count) \(cause)" : nil
    }
  }

  private func text(of finding: VerifyResult.Finding) -> [String] {
    var lines: [String] = []
    if let first = finding.firstDate {
      let count = finding.dates.causes.reduce(0) { $0 + $1.dates.count }
      let why = Self.words.first { $0.cause == finding.cause }?.text ?? ""
      lines.append(
        "portfolio \(finding.portfolio): \(first) is the first date that differs, "
          + "\(why)\(count > 1 ? "; \(count) dates differ" : "")")
      let shown = listsAll ? finding.values.count : Self.valuesShown
      lines += finding.values.prefix(shown).map { "  " + $0.text }
      if finding.values.count > shown {
        lines.append("  and \(finding.values.count - shown) more values")
      }
      lines.append(
        finding.lastGood.map { "  last known-good snapshot: \($0)" }
          ?? "  no compared date before it is good")
    }
    if let failure = finding.failure {
      lines +=
        "portfolio \(finding.portfolio): \(failure.date) cannot be recomputed: \(failure.error)"
        .setIn
    }
    return lines
  }

  private func text(of check: VerifyResult.Check) -> [String] {
    let shown = listsAll ? check.rows.count : Self.rowsShown
    var lines = ["\(check.check): \(check.count) rows"]
    lines += check.rows.prefix(shown).map {
      "  portfolio \($0.portfolio), \($0.date): \($0.detail)"
    }
    if check.count > shown { lines.append("  and \(check.count - shown) more") }
    return lines
  }

  /// What an operator is told of each cause.
  private static let words: [(cause: String, text: String)] = [
    ("stale", "stale: an input changed since, the next run closes it again"),
    ("changed", "an input is not what it was closed with, and no import changed it"),
    ("corrupt", "and no input is known to have changed since"),
  ]
}
