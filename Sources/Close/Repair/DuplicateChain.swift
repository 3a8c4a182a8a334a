package import Accounting
package import Storage

/// What becomes of the rows of one slot.
package struct SlotDecision: Sendable {
  /// The portfolio's key in the table, as text.
  package var portfolio: String
  /// The date.
  package var date: Day
  /// Its rows, in the order in which they were written, with what becomes of each.
  package var verdicts: [RowVerdict]
}

/// Decides which row of a slot stands, going along a portfolio's dates.
///
/// The row that follows from the close before it is kept, whatever its size: after an incident
/// that applied one P&L several times the largest is the most wrong. Where we closed the date
/// ourselves, the row that says the same is kept. Where no row can be told from the others the
/// earliest is kept and marked stale, and so is what was built on it.
package struct DuplicateChain {
  /// Whether amounts add up to the last digit, or only to a half cent.
  private let isExact: Bool
  /// The last row that stands.
  private var standing: KeptRow?

  private struct KeptRow {
    var date: Day
    var closing: Money
    var isStale: Bool
  }

  /// A row against what stands before it.
  private enum Link {
    case follows
    case breaks(String)
    /// The table has no column that would tell.
    case unknown
  }

  private init(isExact: Bool) { self.isExact = isExact }

  /// Decides about a portfolio's rows.
  ///
  /// - Parameter rows: All of one portfolio, ascending by date, then by when they were written.
  /// - Returns: The slots where a row is removed or marked stale, ascending.
  package static func decide(_ rows: [LegacyRow], isExact: Bool) -> [SlotDecision] {
    var chain = DuplicateChain(isExact: isExact)
    let slots = rows.runs(of: \.date).map(Array.init)
    return slots.indices.compactMap { index in
      let verdicts = chain.decideSlot(
        slots[index], next: index + 1 < slots.count ? slots[index + 1] : [])
      guard verdicts.contains(where: { $0.action != .kept }) else { return nil }
      return SlotDecision(
        portfolio: slots[index][0].portfolio, date: slots[index][0].date, verdicts: verdicts)
    }
  }

  private mutating func decideSlot(_ rows: [LegacyRow], next: [LegacyRow]) -> [RowVerdict] {
    let finished = rows.indices.filter { unfinished(rows[$0], among: rows) == nil }
    guard let first = finished.first else {
      return rows.map { RowVerdict($0, .removed, unfinished($0, among: rows) ?? "") }
    }
    let (kept, reason, isStale) = choose(first, finished, rows, next)
    if let closing = rows[kept].closing {
      standing = KeptRow(date: rows[kept].date, closing: closing, isStale: isStale)
    }
    return rows.indices.map { index in
      if index == kept { return RowVerdict(rows[index], isStale ? .stale : .kept, reason.kept) }
      let why = unfinished(rows[index], among: rows) ?? reason.against(rows[index])
      return RowVerdict(rows[index], .removed, why)
    }
  }

  /// Why a row is a placeholder and no close; nil where it is one.
  private func unfinished(_ row: LegacyRow, among rows: [LegacyRow]) -> String? {
    if row.isComplete == false { return "a placeholder: it says that it is not complete" }
    guard row.closing != nil else { return "a placeholder: it has no closing value" }
    guard blank(row) != nil, rows.contains(where: { $0.closing?.isZero == false }) else {
      return nil
    }
    return "a placeholder: every number in it is zero"
  }

  /// Why a row of zeros is doubtful: somebody's default called it complete.
  ///
  /// An empty portfolio closes at zero after a close of zero, or where we closed at zero ourselves.
  private func blank(_ row: LegacyRow) -> String? {
    let amounts = [row.closing, row.opening, row.pnl, row.flow]
    let isRightAsZero = row.ownClosing?.isZero ?? standing?.closing.isZero ?? false
    guard amounts.allSatisfy({ $0?.isZero ?? true }), !isRightAsZero else { return nil }
    return "every number in it is zero"
  }

  // MARK: - Choosing

  private struct Reason {
    var kept: String
    var against: (LegacyRow) -> String
  }

  private func choose(
    _ first: Int, _ finished: [Int], _ rows: [LegacyRow], _ next: [LegacyRow]
  ) -> (kept: Int, reason: Reason, isStale: Bool) {
    if let own = rows[first].ownClosing {
      if let kept = finished.first(where: { rows[$0].closing == own }) {
        let against = "Closebell's own close is \(own)"
        return (
          kept, Reason(kept: "equals Closebell's own close") { repeats($0, rows[kept]) ?? against },
          false
        )
      }
    }
    let following = finished.filter { if case .follows = link(rows[$0]) { true } else { false } }
    if let standing, let kept = told(following, rows, next) {
      let from = "the close of \(standing.date), \(standing.closing)"
      let own = rows[first].ownClosing.map { ", but Closebell's own close is \($0)" }
      let note = own ?? (standing.isStale ? ", which is stale itself" : "")
      let reason = Reason(kept: "follows from \(from)\(note)") {
        repeats($0, rows[kept]) ?? broken($0)
          ?? "follows too, but the next date did not open from it, or it was written later"
      }
      return (kept, reason, standing.isStale || own != nil)
    }
    return unverified(first, finished, rows)
  }

  /// Nothing tells the rows apart: the earliest stays.
  private func unverified(
    _ first: Int, _ finished: [Int], _ rows: [LegacyRow]
  ) -> (kept: Int, reason: Reason, isStale: Bool) {
    let isAlone = finished.count == 1
    let areAlike = finished.allSatisfy { rows[$0].closing == rows[first].closing }
    let problem = broken(rows[first]) ?? blank(rows[first])
    // A table without such columns cannot be doubted; nor can a first row that nobody disputes.
    let isStale =
      problem != nil || standing?.isStale == true || !(isAlone || areAlike)
      || rows[first].ownClosing.map { $0 != rows[first].closing } ?? false
    let why: String
    if let own = rows[first].ownClosing, isStale {
      why = "Closebell's own close is \(own)"
    } else if let problem {
      why = problem
    } else if isStale, standing == nil {
      why = "nothing before it to check it against"
    } else if standing?.isStale == true {
      why = "comes after a row that is stale"
    } else {
      why = areAlike ? "all of them say the same" : "nothing tells one from the other"
    }
    let kept = isAlone ? (isStale ? why : "alone") : "the earliest; \(why)"
    let reason = Reason(kept: kept) {
      repeats($0, rows[first]) ?? broken($0) ?? "written after the row that is kept"
    }
    return (first, reason, isStale)
  }

  /// The one of several rows that follow from the close before: the next date may tell.
  private func told(_ following: [Int], _ rows: [LegacyRow], _ next: [LegacyRow]) -> Int? {
    guard let first = following.first else { return nil }
    guard following.contains(where: { rows[$0].closing != rows[first].closing }) else {
      return first
    }
    let openings = Set(next.compactMap(\.opening))
    return following.first { rows[$0].closing.map { openings.contains($0) } ?? false } ?? first
  }

  private func repeats(_ row: LegacyRow, _ kept: LegacyRow) -> String? {
    row.closing == kept.closing ? "repeats the row that is kept" : nil
  }

  private func broken(_ row: LegacyRow) -> String? {
    if case .breaks(let why) = link(row) { why } else { nil }
  }

  // MARK: - Links

  private func link(_ row: LegacyRow) -> Link {
    guard let closing = row.closing else { return .unknown }
    if let opening = row.opening, let pnl = row.pnl, let flow = row.flow,
      !isSame(opening + pnl + flow, closing)
    {
      return .breaks("does not add up: opening, P&L and flow make \(opening + pnl + flow)")
    }
    guard let standing else { return .unknown }
    let before = "the close of \(standing.date), \(standing.closing)"
    if let opening = row.opening {
      return isSame(opening, standing.closing)
        ? .follows : .breaks("opens from \(opening), not from \(before)")
    }
    guard let pnl = row.pnl else { return .unknown }
    let due = standing.closing + pnl + (row.flow ?? .zero)
    return isSame(due, closing) ? .follows : .breaks("\(before), and its P&L make \(due)")
  }

  private func isSame(_ left: Money, _ right: Money) -> Bool {
    let halfCent = Money(units: 50)
    return isExact ? left == right : (left - right).magnitude <= halfCent
  }
}
