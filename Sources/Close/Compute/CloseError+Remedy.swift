internal import Accounting
internal import Problems
internal import Storage

extension CloseError {
  /// Why the date after the last closed one of a segment could not be closed, with the way out
  /// where that takes the portfolio's name.
  func stated(of segment: ChainSegment) -> StatedProblem {
    guard case .lotsDiffer(_, let opening, _, _) = self else { return stated }
    let month = String("\(opening)".dropLast(3))
    return StatedProblem(
      code, description,
      remedy: """
        closed dates stand on inputs that were corrected since; where they are locked: \
        \(.unlock(month: month, portfolio: "\(segment.portfolio.name)")), or replay them with \
        \(.option(.overrideLock))
        """)
  }
}
