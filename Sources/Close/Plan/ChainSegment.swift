package import Accounting
internal import Storage

/// The dates of one portfolio that are going to be closed one after the other, and where they
/// begin.
///
/// A night's segment is one date; a catch-up's and a replay's are several.
package struct ChainSegment: Sendable {
  /// One date of a segment.
  package struct Step: Sendable, Hashable {
    /// What stands in the slot before.
    package enum Kind: Sendable, Hashable {
      /// Nothing, or a placeholder: it is closed for the first time, at the end of the chain.
      case next
      /// Nothing: it is closed for the first time, before or between slots that exist.
      case backfill
      /// A complete slot: it is closed again.
      case again
    }

    /// The business date.
    package var date: Day
    /// What stands there before.
    package var kind: Kind

    /// A date and what stands there.
    package init(_ date: Day, _ kind: Kind) {
      self.date = date
      self.kind = kind
    }
  }

  /// The portfolio.
  package var portfolio: Portfolio
  /// The date of the snapshot that the first step opens from; nil: it is the first of all.
  package var openedFrom: Day?
  /// The dates, ascending; at least one.
  package var steps: [Step]

  /// A segment of a portfolio.
  package init(portfolio: Portfolio, openedFrom: Day?, steps: [Step]) {
    precondition(!steps.isEmpty, "a segment closes at least one date")
    self.portfolio = portfolio
    self.openedFrom = openedFrom
    self.steps = steps
  }

  /// The last date.
  var through: Day { steps[steps.count - 1].date }

  /// Whether it takes the flows before it from what the last night kept, though that may stand
  /// later than where it begins.
  var resumesFlows = false

  /// Whether the dates before it were closed by this run.
  var goesOn = false

  /// Whether it closes dates again, and so needs the portfolio's whole history: what is cached
  /// for a night stands later than where this segment begins.
  var readsHistory: Bool { !resumesFlows && steps.contains { $0.kind != .next } }

  /// The first `count` dates, and what follows them once they are closed; nil: nothing does.
  ///
  /// Where the cut falls into a hole that is filled, both have the slot behind the hole: it opens
  /// from the last date that is filled so far, and is closed again when more are.
  func cut(after count: Int) -> (part: ChainSegment, rest: ChainSegment?) {
    guard steps.count > count else { return (self, nil) }
    var (part, rest) = (self, self)
    part.steps = Array(steps[..<count])
    rest.steps = Array(steps[count...])
    rest.openedFrom = part.through
    rest.goesOn = true
    guard part.steps[count - 1].kind == .backfill else { return (part, rest) }
    guard let behind = rest.steps.firstIndex(where: { $0.kind != .backfill }) else {
      return (self, nil)
    }
    part.steps.append(rest.steps[behind])
    if behind > 0 {
      rest.steps[behind].kind = .again
    } else {
      rest.steps.removeFirst()
      rest.openedFrom = part.through
    }
    return (part, rest.steps.isEmpty ? nil : rest)
  }

  /// The slot of a step.
  func slot(_ step: Step) -> Slot { Slot(portfolio: portfolio.id, date: step.date) }

  /// The date that the step at `index` opens from.
  func opening(ofStep index: Int) -> Day? {
    index == 0 ? openedFrom : steps[index - 1].date
  }
}
