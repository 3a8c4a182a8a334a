package import Accounting
package import Problems

/// A replay's range touches dates that are locked: nothing of it was begun.
package struct LockedRange: Problem {
  /// The first date of the range.
  package let from: Day
  /// The last date of the range.
  package let through: Day
  /// The portfolios whose lock reaches into it, and their last locked date; ascending by name.
  package let portfolios: [(name: PortfolioName, through: Day)]

  /// What is locked, and the three ways to go on.
  package var stated: StatedProblem {
    let last = portfolios.map(\.through).max() ?? through
    let onlyThose = portfolios.count == 1 ? "\(portfolios[0].name)" : nil
    var ways: [Remedy] = last < through ? ["replay from \(last + 1) on"] : []
    ways.append(
      Remedy(.unlock(month: String(from.description.dropLast(3)), portfolio: onlyThose)))
    ways.append(Remedy(.option(.overrideLock)))
    return StatedProblem(
      ProblemCode("range_locked", .locked), "the range is locked: \(listed)",
      remedy: Remedy(anyOf: ways, separator: "; or "))
  }

  /// Portfolios with one last date together, the first three of them by name.
  private var listed: String {
    Dictionary(grouping: portfolios, by: \.through).sorted { $0.key < $1.key }.map { day, group in
      let names = group.prefix(3).map(\.name.description).joined(separator: ", ")
      let more = group.count > 3 ? " and \(group.count - 3) more" : ""
      return "\(names)\(more) through \(day)"
    }.joined(separator: "; ")
  }
}
