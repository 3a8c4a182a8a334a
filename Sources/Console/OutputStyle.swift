import Text

/// How much a command tells, and in which form.
package struct OutputStyle: Sendable {
  /// Results are JSON, one object each.
  let isJSON: Bool
  /// Nothing but errors.
  let isQuiet: Bool
  /// Everything, however long.
  let isVerbose: Bool

  package init(isJSON: Bool, isQuiet: Bool, isVerbose: Bool) {
    self.isJSON = isJSON
    self.isQuiet = isQuiet
    self.isVerbose = isVerbose
  }

  /// Prints a result: as JSON where that is asked for, else as text unless nothing is.
  ///
  /// - Parameter isError: Whether the text is of an error, and so is printed in any case.
  package func present<Result: Encodable>(
    _ result: Result, isError: Bool = false, text: (Result) -> [String]
  ) throws {
    if isJSON {
      StandardOutput.json(try JSON(encoding: result))
    } else if !isQuiet || isError {
      StandardOutput.lines(text(result))
    }
  }
}
