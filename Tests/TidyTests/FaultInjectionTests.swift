import Testing

@Suite("Faults are injected into what is built for tests alone")
struct FaultInjectionTests {
  @Test("what is released knows no variable that makes it fail")
  func release() throws {
    let files = SourceTree.swiftFiles.filter { $0.path.hasPrefix("Sources/") }
    let places = files.flatMap { file in
      file.code.filter { $0.text.contains("\"CLOSEBELL_FAULT") }.map { (file, $0.number) }
    }
    #expect(places.count == 1)
    let (file, number) = try #require(places.first)
    #expect(file.lines[number - 2].trimmed == "#if FAULT_INJECTION")
    #expect(file.lines[number].trimmed == "#else")
    let package = try #require(SourceTree.writtenFiles.first { $0.path == "Package.swift" })
    let definitions = package.lines.filter { $0.contains("FAULT_INJECTION") }
    #expect(definitions.count == 1)
    #expect(
      definitions.first?.contains(#"define("FAULT_INJECTION", .when(configuration: .debug))"#)
        == true)
    let makefile = try #require(SourceTree.writtenFiles.first { $0.path == "Makefile" })
    #expect(makefile.lines.contains { $0.contains("grep -q CLOSEBELL_FAULT \"$$bin\"") })
  }
}
