package import Problems

/// Why a repair was refused; nothing was changed.
package enum RepairError: Problem {
  /// Another repair is at work.
  case busy
  /// A plan's text is not what was written: which parts differ.
  case edited([String])
  /// The text is no plan of this kind.
  case notAPlan(String)
  /// The data is not what the plan was made from: where it differs.
  case changed([String])
  /// There is no such repair, or it cannot be undone: why, and the way out.
  case cannotUndo(Int64, String, remedy: Remedy)
  /// No table was named; some that might be meant.
  case noTable([String])

  /// The reason and the way out.
  package var stated: StatedProblem {
    switch self {
    case .busy:
      StatedProblem(
        ProblemCode("repair_busy", .busy), "another repair is at work",
        remedy: "try again when it is done")
    case .edited(let parts):
      StatedProblem(
        ProblemCode("plan_edited", .badInput), "the plan was edited: \(Self.list(parts))",
        remedy: """
          a plan is applied as it was made or not at all; make a new one with \(.option(.plan))
          """)
    case .notAPlan(let why):
      StatedProblem(
        ProblemCode("not_a_plan", .badInput), "this is no plan of such a repair: \(why)",
        remedy: "one is made with \(.option(.plan))")
    case .changed(let places):
      StatedProblem(
        ProblemCode("plan_outdated", .badInput),
        "the data changed since the plan was made: \(Self.list(places))",
        remedy: """
          nothing was changed; look at it again and make a new plan with \(.option(.plan))
          """)
    case .cannotUndo(let run, let why, let remedy):
      StatedProblem(
        ProblemCode("repair_not_undoable", .refused), "run \(run) cannot be undone: \(why)",
        remedy: remedy)
    case .noTable(let candidates):
      StatedProblem(
        ProblemCode("table_not_named", .badInput), "no table was named",
        remedy: candidates.isEmpty
          ? Remedy(.repairDuplicates(table: "SCHEMA.TABLE"))
          : Remedy(
            anyOf: candidates.map { Remedy(.repairDuplicates(table: $0)) },
            separator: ", or "))
    }
  }

  private static func list(_ items: [String]) -> String {
    let shown = items.prefix(10).joined(separator: "; ")
    return items.count > 10 ? "\(shown); and \(items.count - 10) more" : shown
  }
}
