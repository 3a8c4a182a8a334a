import Testing

@Suite("The page on testing tells the truth")
struct TestingPageTests {
  /// A suite and a test of it, as a table names them: `Suite`: name · name.
  private struct Named: Hashable {
    var suite: String
    var test: String
  }

  private static let page = SourceTree.writtenFiles.first { $0.path == "docs/testing.md" }

  private static func named(in cell: Substring) -> [Named] {
    var suite = ""
    return cell.split(separator: " · ").flatMap { part -> [Named] in
      var name = part
      if part.hasPrefix("`"), let end = part.firstRange(of: "`: ") {
        suite = String(part[..<end.lowerBound].dropFirst())
        name = part[end.upperBound...]
      }
      let isWhole = suite.isEmpty || name == "all" || name.hasPrefix("law of ")
      return isWhole ? [] : [Named(suite: suite, test: String(name))]
    }
  }

  @Test("every test that it names is in the suite that it names")
  func tests() throws {
    let page = try #require(Self.page)
    let rows = page.lines.filter { $0.hasPrefix("| ") && $0.contains("Tests`: ") }
    let named = rows.flatMap { row in
      row.split(separator: "|").flatMap { Self.named(in: $0.trimmed) }
    }
    #expect(named.count > 40)
    let suites = Dictionary(grouping: SourceTree.swiftFiles) {
      $0.path.split(separator: "/").last.map { String($0.dropLast(".swift".count)) } ?? ""
    }
    for one in named {
      let isThere = suites[one.suite, default: []].contains { file in
        file.lines.contains { $0.contains("\"\(one.test)\"") }
      }
      #expect(isThere, "\(one.suite): \(one.test)")
    }
  }
}
