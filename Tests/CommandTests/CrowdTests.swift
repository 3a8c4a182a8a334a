import Glibc
import TestSupport
import Testing

/// Many at once, and the same again and again.
@Suite(.serialized) struct CrowdTests {
  private func sixteenAtOnce(_ books: OperatorBooks, _ arguments: [String]) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<16 {
        group.addTask {
          try await books.run(arguments, environment: ["CLOSEBELL_CHUNK": "2"]).exitCode
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private func undisturbed(_ commands: [[String]]) async throws -> [String] {
    let books = try await OperatorBooks.small()
    for command in commands { try await books.expectDone(command) }
    return try await books.tables()
  }

  private let night = ["run", "--date", "2017-06-30"]

  @Test("sixteen processes over what a killed one left close each slot once")
  func overADeadOwner() async throws {
    let expected = try await undisturbed([night])
    let books = try await OperatorBooks.small()
    let killed = try await books.run(
      night, environment: ["CLOSEBELL_FAULT": "populate-holdings:kill"])
    #expect(killed.exitCode == 137)
    let codes = try await sixteenAtOnce(books, night)
    #expect(codes.allSatisfy { $0 == 0 || $0 == 75 }, "\(codes)")
    #expect(try await books.tables() == expected)
    #expect(try await books.leftovers() == [])
  }

  @Test("sixteen replays at once of corrected dates give each slot one new revision")
  func replays() async throws {
    let replay = ["replay", "--from", "2017-06-29", "--to", "2017-06-30"]
    let books = try await OperatorBooks.small()
    try await books.expectDone(night)
    try await books.importFiles(SmallWorld.corrections)
    let codes = try await sixteenAtOnce(books, replay)
    #expect(codes.allSatisfy { $0 == 0 || $0 == 75 }, "\(codes)")
    let other = try await OperatorBooks.small()
    try await other.importFiles(SmallWorld.corrections)
    try await other.expectDone(night)
    #expect(try await books.tables() != [])
    // CEDAR's first slot is of the second date; a replay closes the first one too.
    try await other.expectDone(replay)
    #expect(try await books.tables() == (try await other.tables()))
    #expect(
      try await books.count("select max(revision) from closebell.portfolio_snapshots") == 2)
    #expect(try await books.leftovers() == [])
  }

  @Test("sixteen migrations at once make one schema")
  func migrations() async throws {
    let books = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    let codes = try await sixteenAtOnce(books, ["migrate"])
    #expect(codes.allSatisfy { $0 == 0 }, "\(codes)")
    try await books.expectDone("migrate")
  }

  @Test("four runs in a row, and a replay twice, change not a byte, ids and revisions included")
  func again() async throws {
    let books = try await OperatorBooks.small()
    try await books.expectDone(night)
    let whole = try await books.wholeTables()
    for _ in 0..<3 { try await books.expectDone(night) }
    #expect(try await books.wholeTables() == whole)
    try await books.importFiles(SmallWorld.corrections)
    try await books.expectDone(night)
    let corrected = try await books.tables()
    #expect(corrected != (try await undisturbed([night])))
    let replay = ["replay", "--from", "2017-06-29", "--to", "2017-06-30"]
    try await books.expectDone(replay)
    let once = try await books.tables()
    try await books.expectDone(replay)
    #expect(try await books.tables() == once)
  }
}

extension OperatorBooks {
  func wholeTables() async throws -> [String] {
    try await perform { db in try ResultTables.wholeRows(on: db) }
  }

  func leftovers() async throws -> [String] {
    try await perform { db in try ResultTables.leftovers(on: db) }
  }
}
