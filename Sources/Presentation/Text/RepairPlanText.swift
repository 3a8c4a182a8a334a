internal import Accounting
package import Close
internal import Storage
internal import Text

/// A plan as an operator reads it.
package struct DuplicatePlanText {
  private let plan: DuplicatePlan
  private let all: Bool

  package init(_ plan: DuplicatePlan, all: Bool) {
    self.plan = plan
    self.all = all
  }

  /// How many slots are shown unless all are wanted.
  private static let shown = 25

  package var lines: [String] {
    guard !plan.decisions.isEmpty else {
      return ["\(plan.table.name): every slot stands once and is finished; nothing to do"]
    }
    var table = TextTable([
      ("portfolio", .left), ("date", .left), ("written", .left), ("closing", .right),
      ("row", .left), ("why", .left),
    ])
    for decision in plan.decisions.prefix(all ? plan.decisions.count : Self.shown) {
      for verdict in decision.verdicts {
        table.add([
          decision.portfolio, decision.date.description,
          String(verdict.row.createdAt.prefix(19)),
          verdict.row.closing.map { Readable.money($0.units) } ?? "–",
          Self.words[verdict.action] ?? "", verdict.reason,
        ])
      }
    }
    var lines = table.lines
    let hidden = plan.decisions.count - Self.shown
    if !all, hidden > 0 { lines.append("and \(hidden) more slots; see them with --verbose") }
    lines.append(
      "\(plan.table.name): \(plan.count(.removed)) rows to remove, \(plan.count(.stale)) to mark "
        + "stale, \(plan.rowsRead) looked at")
    return lines
  }

  private static let words: [RepairArchive.Action: String] = [
    .removed: "remove", .kept: "keep", .stale: "keep, stale",
  ]
}

/// A plan of equities as an operator reads it.
package struct EquityPlanText {
  private let plan: EquityPlan
  private let all: Bool

  package init(_ plan: EquityPlan, all: Bool) {
    self.plan = plan
    self.all = all
  }

  /// How many dates and groups of rows are shown unless all are wanted.
  private static let shown = 25

  package var lines: [String] {
    guard !plan.isEmpty else {
      return [
        "\(plan.compared) closed dates compared: each is what its inputs make it; nothing to do"
      ]
    }
    var parts: [[String]] = []
    if !plan.damage.isEmpty { parts += [damage.lines, dates.lines] }
    if !plan.orphans.isEmpty { parts.append(orphans.lines) }
    let hidden = max(
      plan.damage.count, plan.damage.reduce(0) { $0 + $1.wrong.count }, plan.orphans.count)
    if !all, hidden > Self.shown { parts.append(["and more; see everything with --verbose"]) }
    parts.append([
      "\(plan.compared) closed dates compared: \(plan.closedAgain) to close again in "
        + "\(plan.damage.count) portfolios, \(plan.orphanCount) stray rows to remove"
    ])
    return parts.paragraphs
  }

  private func limited<T>(_ list: [T]) -> ArraySlice<T> {
    all ? list[...] : list.prefix(Self.shown)
  }

  private var damage: TextTable {
    var table = TextTable([
      ("portfolio", .left), ("last good", .left), ("first bad", .left), ("through", .left),
      ("closed again", .right), ("why", .left),
    ])
    for one in limited(plan.damage) {
      table.add([
        one.portfolio.name.description, one.lastGood?.description ?? "–", one.firstBad.description,
        one.latest.description, String(one.closedAgain), why(one),
      ])
    }
    return table
  }

  private func why(_ one: EquityPlan.Damage) -> String {
    if one.missing.first == one.firstBad { return "not closed, and a later date opened from it" }
    guard let wrong = one.wrong.first, wrong.date == one.firstBad else {
      return "opened from another revision"
    }
    guard let first = wrong.differences.first else { return "" }
    let rest = wrong.differences.count - 1
    guard first.column != "row" else {
      return "\(first.place): \(first.stored == nil ? "its row is lost" : "a row too many")"
        + (rest > 0 ? ", and \(rest) numbers more" : "")
    }
    return "\(first.place) \(first.column): \(first.stored ?? "none") for "
      + "\(first.recomputed ?? "none")" + (rest > 0 ? ", and \(rest) numbers more" : "")
  }

  private var dates: TextTable {
    var table = TextTable([
      ("portfolio", .left), ("date", .left), ("closing equity", .right), ("becomes", .right),
      ("numbers that differ", .right),
    ])
    let rows = plan.damage.flatMap { one in one.wrong.map { (one.portfolio.name, $0) } }
    for (name, wrong) in limited(rows) {
      table.add([
        name.description, wrong.date.description,
        wrong.storedClosing.map { Readable.money($0.units) } ?? "–",
        Readable.money(wrong.closing.units), String(wrong.differences.count),
      ])
    }
    return table
  }

  private var orphans: TextTable {
    var table = TextTable([
      ("portfolio id", .right), ("date", .left), ("table", .left), ("rows", .right),
      ("why", .left),
    ])
    for group in limited(plan.orphans) {
      table.add([
        group.slot.portfolio.description, group.slot.date.description, group.table,
        String(group.count), group.reason,
      ])
    }
    return table
  }
}
