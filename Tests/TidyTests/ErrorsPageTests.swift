import Problems
import Testing

@Suite("The page on errors tells all of them")
struct ErrorsPageTests {
  /// A code and its kind, as a section of the page or a line of the source has it.
  private struct Coded: Hashable, CustomStringConvertible {
    var code: String
    var kind: String
    var description: String { "\(code), \(kind)" }
  }

  private static func page() throws -> SourceFile {
    try #require(SourceTree.writtenFiles.first { $0.path == "docs/errors.md" })
  }

  /// The cells of a row of a table, without those of its head.
  private static func cells(_ line: Substring) -> [Substring]? {
    guard line.hasPrefix("| "), line.hasSuffix(" |") else { return nil }
    return line.dropFirst(2).dropLast(2).split(separator: " | ", omittingEmptySubsequences: false)
  }

  private static func ofPage() throws -> [Coded] {
    var kind = ""
    var found: [Coded] = []
    for line in try page().lines {
      if line.hasPrefix("## ") { kind = String(line.dropFirst(3)) }
      guard let cells = cells(line), cells[0].hasPrefix("`") else { continue }
      #expect(cells.count == 3 && cells.allSatisfy { !$0.trimmed.isEmpty }, "\(line)")
      found.append(Coded(code: String(cells[0].dropFirst().dropLast()), kind: kind))
    }
    return found
  }

  private static func ofSources() -> [Coded] {
    let kinds = Dictionary(
      uniqueKeysWithValues: ProblemKind.allCases.map { ("\($0)", $0.rawValue) })
    return SourceTree.swiftFiles.filter { $0.path.hasPrefix("Sources/") }.flatMap { file in
      file.code.flatMap { _, line in
        line.ranges(of: "ProblemCode(\"").compactMap { range -> Coded? in
          let parts = line[range.upperBound...].prefix { $0 != ")" }.split(separator: "\", .")
          guard parts.count == 2 else { return nil }
          return Coded(code: String(parts[0]), kind: kinds[String(parts[1])] ?? "")
        }
      }
    }
  }

  @Test("every code of the source is on it once, under its kind, and it has no other")
  func codes() throws {
    let (page, sources) = (try Self.ofPage(), Self.ofSources())
    #expect(sources.count > 100)
    #expect(Set(sources).subtracting(page) == [])
    #expect(Set(page).subtracting(sources) == [])
    #expect(Set(sources.map(\.code)).count == sources.count, "each in one place")
    #expect(Set(page.map(\.code)).count == page.count)
    for code in sources.map(\.code) {
      #expect(code.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }, "\(code)")
    }
  }

  @Test("its table of kinds is the code's")
  func kinds() throws {
    let told = try Self.page().lines.compactMap(Self.cells).filter { $0.count == 4 }.dropFirst()
    #expect(
      told.map { $0.prefix(3).joined(separator: " | ") }
        == ProblemKind.allCases.map { "\($0.rawValue) | \($0.exitCode) | \($0.httpStatus)" })
  }
}
