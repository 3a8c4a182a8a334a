package import Close

/// A value that is, or would be, another one.
package struct ValueChange: Codable, Sendable {
  /// Where it stands: `snapshot`, `holding AMZN`, `cash USD`, `IRR`.
  package var row: String
  /// `row` where a whole row is missing or one too many.
  package var column: String
  /// nil for null and for a row that is not there.
  package var old: String?
  package var new: String?

  package init(_ difference: ValueDifference) {
    row = difference.place.description
    column = difference.column
    old = difference.stored
    new = difference.recomputed
  }
}
