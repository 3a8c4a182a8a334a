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

  /// The values that staged rows would change: row number, column, stored value, new value.
  var preview: Statement {
    let cells = columns.map { column in
      func text(_ value: String) -> String {
        column.isNumeric ? "trim_scale(\(value))::text" : "(\(value))::text"
      }
      return """
        case when (\(column.stored)) is distinct from (\(column.staged))
          then '\(column.name)' end, \(text(column.stored)), \(text(column.staged))
        """
    }
    // Here too a subquery that gives one value, an array with three places a column.
    return Statement(
      "import-preview-\(name)",
      """
      select changed.row_number, changed.cells[c], changed.cells[c + 1], changed.cells[c + 2]
      from (
        select s.row_number, (
          select array[\(cells.joined(separator: ",\n"))]
          from closebell.\(table) l where \(match)) as cells
        from pg_temp.\(staging.name) s) changed
      cross join pg_catalog.generate_series(1, \(3 * columns.count), 3) as c
      where changed.cells[c] is not null order by changed.row_number, c
      """)
  }
}
