/// Why a repair was refused; nothing was changed.
public enum RepairError: Error, CustomStringConvertible {
  /// Another repair is at work.
  case busy
  /// A plan's text is not what was written: which parts differ.
  case edited([String])
  /// The text is no plan of this kind.
  case notAPlan(String)
  /// The data is not what the plan was made from: where it differs.
  case changed([String])
  /// There is no such repair, or it cannot be undone: why, and the way out.
  case cannotUndo(Int64, String, hint: String)
  /// No table was named; some that might be meant.
  case noTable([String])

  /// As the contract has it: 75 busy, 1 refused for the state of some portfolios, 65 bad input.
  public var exitCode: Int32 {
    switch self {
    case .busy: 75
    case .cannotUndo: 1
    case .edited, .notAPlan, .changed, .noTable: 65
    }
  }

  /// The reason and the way out.
  public var description: String {
    switch self {
    case .busy:
      "another repair is at work\nhint: try again when it is done"
    case .edited(let parts):
      """
      the plan was edited: \(Self.list(parts))
      hint: a plan is applied as it was made or not at all; make a new one with --plan
      """
    case .notAPlan(let why):
      "this is no plan of such a repair: \(why)\nhint: one is made with --plan"
    case .changed(let places):
      """
      the data changed since the plan was made: \(Self.list(places))
      hint: nothing was changed; look at it again and make a new plan with --plan
      """
    case .cannotUndo(let run, let why, let hint):
      "run \(run) cannot be undone: \(why)\nhint: \(hint)"
    case .noTable(let candidates):
      "no table was named\nhint: "
        + (candidates.isEmpty
          ? "closebell repair duplicates SCHEMA.TABLE"
          : candidates.map { "closebell repair duplicates '\($0)'" }.joined(separator: ", or "))
    }
  }

  private static func list(_ items: [String]) -> String {
    let shown = items.prefix(10).joined(separator: "; ")
    return items.count > 10 ? "\(shown); and \(items.count - 10) more" : shown
  }
}
