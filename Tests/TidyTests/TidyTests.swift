import Testing

@Suite("The house is tidy")
struct TidyTests {
  @Test("every Swift file keeps the rules of the house")
  func swiftFiles() {
    #expect(SourceTree.swiftFiles.count > 20, "the walk found the sources")
    report(SourceTree.swiftFiles.flatMap(TidyRules.all))
  }

  @Test("every link in the documentation leads to a file")
  func links() {
    let pages = SourceTree.writtenFiles.filter { $0.path.hasSuffix(".md") }
    #expect(!pages.isEmpty)
    report(pages.flatMap { TidyRules.deadLinks($0, exists: SourceTree.exists) })
  }

  @Test("no file names a path of the machine it was written on")
  func machinePaths() {
    #expect(SourceTree.writtenFiles.contains { $0.path == "Package.swift" })
    report(SourceTree.writtenFiles.flatMap(TidyRules.machinePaths))
  }

  @Test("every room under Sources has its arrows written down")
  func rooms() {
    let rooms = Set(SourceTree.swiftFiles.map(\.room)).subtracting([""])
    #expect(rooms.subtracting(TidyRules.mayImport.keys) == [])
  }

  @Test("names are the field's, and one name is one type")
  func names() {
    let sources = SourceTree.swiftFiles.filter { !$0.room.isEmpty }
    report(TidyRules.bannedNames(sources) + TidyRules.namesTwice(sources))
  }

  @Test("what is open to other rooms is used by one")
  func doors() {
    report(
      TidyRules.closedDoors(
        SourceTree.swiftFiles,
        of: ["Close", "Console", "Import", "Operations", "Presentation", "Settings", "Text"]))
  }

  private func report(_ findings: [Finding]) {
    #expect(
      findings.isEmpty, "\n\(findings.map(\.description).joined(separator: "\n"))")
  }
}

@Suite("The rules of the house bite")
struct TidyRulesTests {
  private func messages(
    _ text: String, path: String = "Sources/Close/Planted.swift"
  ) -> [String] {
    TidyRules.all(SourceFile(path: path, text: text)).map { "\($0.line) \($0.message)" }
  }

  @Test("a line of 101 columns, a tab and a blank at the end are found, 100 columns are not")
  func shape() {
    let long = String(repeating: "x", count: 101)
    #expect(messages("\(long.dropLast())\n\(long)\n\t1\n2 \n").count == 3)
  }

  @Test("a name out of a dialect, a name of two types and a door that nobody uses are found")
  func names() {
    let files = [
      SourceFile(
        path: "Sources/Close/A.swift", text: "struct Tornado {}\npackage func sweepUp() {}"),
      SourceFile(path: "Sources/Import/B.swift", text: "struct Twin {}\n  package var used = 1"),
      SourceFile(path: "Sources/Storage/C.swift", text: "struct Twin { let a = used }"),
    ]
    #expect(
      TidyRules.bannedNames(files).map(\.message) == [
        "Tornado: 'torn' is no word of the field", "sweepUp: 'sweep' is no word of the field",
      ])
    #expect(
      TidyRules.namesTwice(files).map(\.message) == [
        "Twin is the name of 2 types", "Twin is the name of 2 types",
      ])
    #expect(
      TidyRules.closedDoors(files, of: ["Close", "Import"]).map(\.message) == [
        "sweepUp is package, and only its own room names it"
      ])
  }

  @Test("a statement that marks or forgets by itself is found, one that reads is not")
  func changesOfInputs() {
    let message = "1 writes a table that is InputChange's to write"
    let path = "Sources/Import/Planted.swift"
    for text in [
      "      insert into closebell.input_changes (from_date, calendars)",
      "delete from closebell.portfolio_irr_moments m using changed c",
    ] {
      #expect(messages(text, path: path) == [message])
      #expect(messages(text, path: "Sources/Storage/Inputs/InputChange.swift") == [])
    }
    #expect(messages("from closebell.input_changes c", path: path) == [])
  }

  @Test("a dictionary or a set whose keys are text of Swift's is found, one of exact text is not")
  func keysOfText() {
    let message = "1 keys of String instead of ExactText"
    #expect(messages("var known: [String: Int] = [:]") == [message])
    #expect(messages("var known: Set<String> = []") == [message])
    #expect(messages("var known: [ExactText: Int] = [:]") == [])
  }

  @Test("a file of 401 lines is found, one of 400 is not")
  func fileLength() {
    #expect(messages(String(repeating: "x\n", count: 400)) == [])
    #expect(messages(String(repeating: "x\n", count: 401)) == ["401 file of 401 lines"])
  }

  @Test("a function of 71 lines is found, one of 70 and its neighbours are not")
  func functionLength() {
    func function(_ lines: Int) -> String {
      "  public func f(\n    a: Int\n  ) throws {\n"
        + String(repeating: "    x\n", count: lines - 4) + "  }\n"
    }
    #expect(messages("struct S {\n" + function(70) + "  var x: Int { 1 }\n}\n") == [])
    #expect(messages("struct S {\n" + function(71) + "}\n") == ["2 function of 71 lines"])
  }

  @Test("markers, prints and Foundation are found; words that contain them are not")
  func words() {
    #expect(messages("// TO" + "DO: later") == ["1 marker TO" + "DO"])
    let prints = "1 prints, and nobody checks that it arrived"
    #expect(messages("  prin" + "t(1)") == [prints])
    #expect(messages("  prin" + "t(1)", path: "Sources/closebell/Planted.swift") == [prints])
    #expect(messages("  finger.prin" + "t(1)\n  blueprin" + "t(2)\n// prin" + "t(3)") == [])
    let writes = "fwrite(a, 1, 1, std" + "out); write(STD" + "OUT_FILENO, a, 1)"
    #expect(
      messages(writes, path: "Sources/closebell/Planted.swift")
        == ["1 standard output beside its one door"])
    #expect(messages(writes, path: TidyRules.standardOutput) == [])
    #expect(
      messages("import Foundation").contains("1 imports all of Foundation"))
  }

  @Test("type names that say nothing are found")
  func typeNames() {
    #expect(messages("public struct LotManager: Sendable {") == ["1 type name ends in Manager"])
    #expect(messages("let text = \"a class ManagerHelper\"") == [])
  }

  @Test("an import against the arrows is found")
  func arrows() {
    func imports(_ module: String, in room: String) -> [String] {
      messages("public import \(module)\n", path: "Sources/\(room)/Planted.swift")
    }
    #expect(imports("CLibPQ", in: "Storage") == ["1 Storage must not import CLibPQ"])
    #expect(imports("Close", in: "Import") == ["1 Import must not import Close"])
    #expect(imports("Postgres", in: "Accounting") == ["1 Accounting must not import Postgres"])
    #expect(imports("Accounting", in: "Postgres") == ["1 Postgres must not import Accounting"])
    #expect(imports("Storage", in: "Close") == [])
    #expect(imports("Postgres", in: "Problems") == ["1 Problems must not import Postgres"])
    #expect(imports("Problems", in: "Accounting") == ["1 Accounting must not import Problems"])
  }

  @Test("a statement in Close is found, prose and Storage's are not")
  func sql() {
    let statement = "    select id from closebell.portfolios\n"
    #expect(messages(statement) == ["1 SQL outside Storage"])
    #expect(messages(statement, path: "Sources/Storage/Planted.swift") == [])
    #expect(messages("// select the id from closebell.portfolios\n") == [])
  }

  @Test(
    "an exit code, a command, a SQLSTATE and a switch over error types in a wrong place are found")
  func problems() {
    let path = "Sources/closebell/Planted.swift"
    #expect(
      messages("var exitCode: Int32 { 65 }") == ["1 an exit code that is none of a ProblemKind"])
    #expect(messages("throw ExitCode(2)", path: path).count == 1)
    #expect(messages("report.exitCode == 0 ? .done : .failed") == [])
    #expect(messages("case let error as LockError: 75", path: path).count == 1)
    let state = "1 a SQLSTATE by its digits instead of SQLState's name"
    #expect(messages("where error.sqlState == \"55P03\"") == [state])
    #expect(messages("case \"42501\": nil", path: path) == [state])
    let command = "hint: closebell unlock --month"
    #expect(messages(command) == ["1 a command for people: that is for Action to write"])
    #expect(messages(command, path: path) == [])
    #expect(messages(command, path: "Sources/Problems/Planted.swift") == [])
    #expect(messages("useradd, or run closebell as an ordinary user") == [])
  }

  @Test("a machine's path and a dead link are found")
  func text() {
    let path = SourceFile(path: "docs/a.md", text: "see /wo" + "rk/x and [b](../b.md#c), [d](d.md)")
    #expect(TidyRules.machinePaths(path).count == 1)
    #expect(
      TidyRules.deadLinks(path) { $0 == "b.md" }.map(\.description)
        == ["docs/a.md:1: error: dead link to d.md"])
  }
}
