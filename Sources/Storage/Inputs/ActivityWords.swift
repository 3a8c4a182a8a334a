internal import Accounting

/// Types of activities as SQL names them, from the table of their traits.
extension ActivityType {
  /// The words of the types that have a trait, quoted and listed: for an `in (…)`.
  ///
  /// Statements are made once, so the list is static text to the server.
  static func words(where isMeant: (ActivityTraits) -> Bool) -> String {
    allCases.filter { isMeant($0.traits) }.map { "'\($0.rawValue)'" }.joined(separator: ", ")
  }
}
