internal import Postgres

/// How a staged row finds the stored one that it means, and which of its columns may differ.
///
/// From this come two statements: one takes rows out of the staging table that say what is stored
/// already, so that they are neither locked nor written; one says what the others would change.
struct StoredRows: Sendable {
  /// A column that may differ.
  struct Column: Sendable {
    /// What people call it.
    let name: String
    /// SQL for the stored value, of the row `l`.
    let stored: String
    /// SQL for the staged value, of the row `s`.
    let staged: String
    /// Whether it is a number, whose zeros at the end mean nothing.
    var isNumeric = false
  }

  /// A name for the statements.
  let name: String
  let staging: StagingTable
  let table: String
  /// SQL that is true for the one row `l` that the row `s` means.
  let match: String
  let columns: [Column]

  /// Takes the unchanged rows out; what is left is new or differs.
  var unstageUnchanged: Statement {
    // A subquery that gives a value is never joined: it looks each row up in its index.
    Statement(
      "import-unchanged-\(name)",
      """
      delete from pg_temp.\(staging.name) s where (
        select (\(columns.map(\.stored).joined(separator: ", ")))
          is not distinct from (\(columns.map(\.staged).joined(separator: ", ")))
        from closebell.\(table) l where \(match))
      """)
  }

  /// Row number and text of each staged row that would change a stored one.
  var preview: Statement {
    let parts = columns.map { column in
      func text(_ value: String) -> String {
        "coalesce(\(column.isNumeric ? "trim_scale(\(value))" : "(\(value))")::text, 'nothing')"
      }
      return """
        case when (\(column.stored)) is distinct from (\(column.staged))
          then '\(column.name) ' || \(text(column.stored)) || ' → ' || \(text(column.staged)) end
        """
    }
    return Statement(
      "import-preview-\(name)",
      """
      select row_number, change from (
        select s.row_number, (
          select concat_ws(', ', \(parts.joined(separator: ", ")))
          from closebell.\(table) l where \(match)) as change
        from pg_temp.\(staging.name) s) changed
      where change <> '' order by row_number
      """)
  }
}
