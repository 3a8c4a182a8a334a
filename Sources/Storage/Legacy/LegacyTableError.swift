public import Problems

/// Why a table of an earlier system cannot be read, repaired or adopted.
public enum LegacyTableError: Problem {
  /// A slot that cannot have a unique key yet.
  public struct Obstacle: Sendable {
    /// The portfolio's key in that table, as text.
    public var portfolio: String
    /// The date.
    public var date: String
    /// How many rows claim to be it.
    public var count: Int64
    /// Their closing values, in the order in which they were written.
    public var values: String
  }

  /// No table has this name; others that differ in case or schema.
  case notFound(String, alike: [String])
  /// It is a view or something else that rows cannot be taken out of.
  case notATable(String, String)
  /// Columns are missing or of a wrong type; what is there.
  case wrongColumns(String, [String], there: [String])
  /// We may not do to it what was asked for.
  case noRight(String, String)
  /// A stranger could have code of his run with our rights: how.
  case ofStranger(String, String)
  /// Rows that name no portfolio or no date.
  case rowsWithoutSlot(String, Int64)
  /// Slots that stand more than once or are unfinished: some of them, and how many there are.
  case needsRepair(String, [Obstacle], duplicates: Int64, unfinished: Int64)
  /// Rows elsewhere that would be lost with the ones removed here.
  case referenced(String, by: String, constraint: String)

  /// The reason, and the way out, as an operator reads it.
  public var stated: StatedProblem {
    switch self {
    case .notFound(let name, let alike):
      StatedProblem(
        ProblemCode("table_not_found", .notFound), "there is no table \(name)",
        remedy: alike.isEmpty
          ? "name it as in SQL, with its schema: SCHEMA.TABLE"
          : """
          there is \(alike.map { "'\($0)'" }.joined(separator: ", ")); \
          a name in mixed case is quoted
          """)
    case .notATable(let name, let word):
      StatedProblem(
        ProblemCode("not_a_table", .badInput), "\(name) is a \(word)",
        remedy: "name the table whose rows it shows")
    case .wrongColumns(let name, let problems, let there):
      StatedProblem(
        ProblemCode("wrong_columns", .badInput),
        "table \(name) is no table of snapshots: \(problems.joined(separator: "; "))",
        details: ["there is \(there.joined(separator: ", "))"],
        remedy: "add a column of that name, or rename one: alter table … rename column … to …")
    case .noRight(let name, let what):
      StatedProblem(
        ProblemCode("table_right_missing", .configuration), "\(name): \(what)",
        remedy: "run as the table's owner, or have the right granted")
    case .ofStranger(let name, let objection):
      StatedProblem(
        ProblemCode("table_of_stranger", .configuration), "\(name): \(objection)",
        remedy: """
          nothing was read of it; run as that role or as a member of it, or have it given to one \
          that is trusted: this role, a superuser, the database's owner
          """)
    case .rowsWithoutSlot(let name, let count):
      StatedProblem(
        ProblemCode("rows_without_slot", .badInput),
        "\(name): \(count) rows name no portfolio or no date",
        remedy: "they belong to no slot; complete them or take them out by hand")
    case .needsRepair(let name, let obstacles, let duplicates, let unfinished):
      Self.needsRepair(name, obstacles, duplicates, unfinished)
    case .referenced(let name, let table, let constraint):
      StatedProblem(
        ProblemCode("rows_referenced", .badInput),
        "\(name): rows of \(table) hang on rows that are to be removed, by \(constraint)",
        remedy: "the key would change or delete them unasked; move them first, or drop it")
    }
  }

  private static func needsRepair(
    _ name: String, _ obstacles: [Obstacle], _ duplicates: Int64, _ unfinished: Int64
  ) -> StatedProblem {
    let list = obstacles.map {
      "portfolio \($0.portfolio), \($0.date): \($0.count) rows: \($0.values)"
    }
    let hidden = duplicates + unfinished - Int64(obstacles.count)
    return StatedProblem(
      ProblemCode("slots_not_unique", .badInput),
      "\(name): \(duplicates) slots stand more than once, \(unfinished) are unfinished",
      details: list + (hidden > 0 ? ["and \(hidden) more"] : []),
      remedy: Remedy(.repairDuplicates(table: name)))
  }
}
