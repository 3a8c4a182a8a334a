import FoundationEssentials
import Operations
import Testing
import Text

/// What programs read of each operation, as it was printed once; see `Golden`.
struct GoldenFile: Sendable, CustomTestStringConvertible {
  let name: String
  private let roundTrip: @Sendable (Data) throws -> String

  private init<Result: Codable & Sendable>(_ name: String, _ type: Result.Type) {
    self.name = name
    roundTrip = { data in
      try JSON(encoding: JSONDecoder().decode(Result.self, from: data)).text
    }
  }

  var testDescription: String { name }

  static let folder =
    #filePath.split(separator: "/").dropLast()
    .reduce("") { $0 + "/" + $1 } + "/Golden/"

  /// The file, and what is printed of what was read from it.
  func texts() throws -> (file: String, printed: String) {
    let data = try Data(contentsOf: URL(filePath: Self.folder + name + ".json"))
    let file = String(decoding: data, as: UTF8.self)
    return (file, try roundTrip(data) + "\n")
  }

  static let all = [
    GoldenFile("snapshot", SnapshotResult.self),
    GoldenFile("first-snapshot", SnapshotResult.self),
    GoldenFile("coverage", CoverageResult.self),
    GoldenFile("run", RunResult.self),
    GoldenFile("paused-run", RunResult.self),
    GoldenFile("replay-preview", ReplayPreviewResult.self),
    GoldenFile("verification", VerifyResult.self),
    GoldenFile("import", ImportResult.self),
    GoldenFile("dry-import", ImportResult.self),
    GoldenFile("refused-import", ImportResult.self),
    GoldenFile("queued-import", QueuedImport.self),
    GoldenFile("cancelled-import", PastImportResult.self),
    GoldenFile("imports", ImportList.self),
    GoldenFile("month-locked", MonthLocked.self),
    GoldenFile("month-unlocked", MonthUnlocked.self),
    GoldenFile("cleanup", CleanupResult.self),
    GoldenFile("claims-paused", ClaimsPaused.self),
    GoldenFile("claims-resumed", ClaimsResumed.self),
    GoldenFile("repair", RepairResult.self),
    GoldenFile("migrations", MigrationList.self),
    GoldenFile("adoption", AdoptionResult.self),
    GoldenFile("sequences", SequenceCheckResult.self),
    GoldenFile("sequence-repair", SequenceRepairResult.self),
    GoldenFile("triggers", [String: [TriggerResult]].self),
    GoldenFile("rate", SeriesRate.self),
  ]
}

@Suite("What programs read stays as it is")
struct GoldenTests {
  @Test("what was printed is read, and printed again byte by byte", arguments: GoldenFile.all)
  func same(golden: GoldenFile) throws {
    let (file, printed) = try golden.texts()
    #expect(printed == file)
  }
}
