public import Accounting

/// A replay's range touches dates that are locked: nothing of it was begun.
public struct LockedRange: Error, CustomStringConvertible {
  /// The first date of the range.
  public let from: Day
  /// The last date of the range.
  public let through: Day
  /// The portfolios whose lock reaches into it, and their last locked date; ascending by name.
  public let portfolios: [(name: PortfolioName, through: Day)]

  /// What is locked, and the three ways to go on.
  public var description: String {
    let last = portfolios.map(\.through).max() ?? through
    let month = from.description.dropLast(3)
    let onlyThose = portfolios.count == 1 ? " --portfolio \(portfolios[0].name)" : ""
    var ways: [String] = []
    if last < through { ways.append("replay from \(last + 1) on") }
    ways.append("closebell unlock --month \(month)\(onlyThose) --reason …")
    ways.append("--override-lock REASON")
    return """
      the range is locked: \(listed)
      hint: \(ways.joined(separator: "; or "))
      """
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
