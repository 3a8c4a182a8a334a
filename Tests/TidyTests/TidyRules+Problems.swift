import Glibc

extension TidyRules {
  /// The text of a function that lives in a database, and speaks for itself there.
  private static let triggerText = "Sources/Sequences/SequenceTrigger.swift"
  private nonisolated(unsafe) static let exitCode =
    /[eE]xitCode\b[^"]*\b(1|2|64|65|69|75|78|130)\b/
  private nonisolated(unsafe) static let typeOfError =
    /case let \w+ as \w+(Error|Refused|Busy|Held)\b/
  private nonisolated(unsafe) static let sqlState = /(sqlState|case)\b.*"[0-9][0-9A-Z]{4}"/
  private nonisolated(unsafe) static let command =
    /closebell (run|replay|verify|(un)?lock|migrate|status|imports?|repair|sequences|postgres)\b/

  /// What an error means stands in one table, a command in one place, a SQLSTATE under its name.
  static func problems(_ file: SourceFile) -> [Finding] {
    guard !file.room.isEmpty, file.room != "Problems" else { return [] }
    let isProgram = ["closebell", "Console", "Settings"].contains(file.room)
    let speaksToPeople = isProgram || file.room == "Presentation"
    return file.code.flatMap { number, line -> [Finding] in
      var found: [String] = []
      // Expressions are slow to match; most lines have no word of theirs.
      func has(_ word: String, _ pattern: Regex<some Any>) -> Bool {
        String(line).withCString { strstr($0, word) != nil } && line.contains(pattern)
      }
      if has("xitCode", exitCode) { found.append("an exit code that is none of a ProblemKind") }
      if isProgram, has("case let", typeOfError) {
        found.append("asks an error for its type: a problem's code has its kind")
      }
      if has("sqlState", sqlState) || has("case \"", sqlState) {
        found.append("a SQLSTATE by its digits instead of SQLState's name")
      }
      if !speaksToPeople, file.path != triggerText, has("closebell ", command) {
        found.append("a command for people: that is for Action to write")
      }
      return found.map { Finding(path: file.path, line: number, message: $0) }
    }
  }
}
