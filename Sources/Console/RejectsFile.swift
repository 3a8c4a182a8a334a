package import Operations

/// The rows that an import refused, as a file that can be mended and imported as it stands.
///
/// That file is often the one that is being imported: mended rows, and those of them that are
/// refused again. So nothing that stands there is replaced or removed before the whole of the
/// import's file was taken, nor if it changed in the meantime, nor if a row of it was too long to
/// be kept; the rows then go beside it, where nothing is replaced at all.
package struct RejectsFile: Sendable {
  package let path: String
  private let atBegin: WholeFile.Version?

  package static let standardOutput = "-"

  /// Looks at the place before the work is done, `-` for standard output.
  ///
  /// - Throws: `Failure` where no file can be put there.
  package init(_ path: String) throws {
    self.path = path
    atBegin = path == Self.standardOutput ? nil : try WholeFile.version(at: path)
  }

  /// Whether the rows are what standard output is for.
  var isStandardOutput: Bool { path == Self.standardOutput }

  /// Writes the header and the refused rows of an import.
  ///
  /// The file is there whole or not at all. An import that refused nothing leaves no file, and
  /// takes an older one away: mended rows would be imported again from it.
  ///
  /// - Parameter isWhole: Whether the whole of the import's file was taken.
  /// - Returns: The file with the rows, nil for none.
  package func write(_ rows: RefusedRows, isWhole: Bool) throws -> String? {
    guard !isStandardOutput else {
      _ = try rows.copy { StandardOutput.data($0) }
      return nil
    }
    let file = try WholeFile(replacing: path)
    let (count, isCut) = try rows.copy { try file.write($0) }
    let standing = try WholeFile.version(at: path)
    let mayReplace = standing != nil && isWhole && !isCut && standing == atBegin
    guard count > 0 else {
      if mayReplace { try WholeFile.remove(path) }
      return nil
    }
    guard mayReplace else {
      return try file.putBeside(suffix: ".rejects-\(rows.job.id)", orInPlace: standing == nil)
    }
    try file.putInPlace()
    return path
  }
}
