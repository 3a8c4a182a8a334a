import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// At every call of a night somebody else does something else, from its beginning to its end.
///
/// Then the night goes on. Whoever wins, the next run ends in the tables of an undisturbed one.
@Suite(.serialized) struct EveryMomentTests {
  /// What happens in between.
  enum Other: String, CaseIterable, Sendable {
    case sameNight = "the same night"
    case takeover = "the same night, after the lease has ended"
    case correction = "an import of corrections"
    case replay = "a correction and a replay of the date before"
    case backfill = "a backfill of the new portfolio"
    case cleanup = "a cleanup, after the lease has ended"
    case liveCleanup = "a cleanup, while the owner lives"
    case lostLease = "a cleanup, after the lease was deleted"
    case pause = "a pause and its end"
    case everyInput = "an import of every kind"
    case forgotten = "the flows' sums are forgotten"
    case forgottenAfterInput = "an import of every kind, and the flows' sums are forgotten"
    case lock = "a lock and its end"

    /// What is imported.
    var files: [(kind: String, csv: String)] {
      switch self {
      case .correction, .replay: EveryMomentTests.corrections
      case .everyInput, .forgottenAfterInput: EveryMomentTests.everyInput
      default: []
      }
    }
  }

  @Test(
    "whatever happens at whichever call of a night, the next run ends right",
    arguments: Other.allCases)
  func everyMoment(_ other: Other) async throws {
    let expected = try await reference(other)
    let books = try await DemoBooks.small()
    try await books.execute(KeptTables.keep)
    let stride = Chaos.isThorough ? 1 : 29
    var random = SeededGenerator(stream: UInt64(other.rawValue.utf8.count))
    var number = Int.random(in: 1...stride, using: &random)
    var moments = 0
    var fenced = 0
    while true {
      try await books.execute(KeptTables.bringBack)
      let settings = DemoBooks.settings(workers: 1, chunk: 2) { $0.waitSeconds = 0 }
      let night = books.begin(.night("2017-06-30"), settings, heldAt: .call(number))
      guard try await night.standsStill() else {
        _ = try await night.goOn()
        break
      }
      moments += 1
      try await happen(other, books, beside: night)
      // A run that lost its lease says so by an error; what counts is what the next one finds.
      fenced += (try? await night.goOn())?.counts.fenced ?? 0
      let what = "\(other.rawValue) at call \(number), \(night.gate.name ?? "")"
      if other == .backfill { _ = try await books.replay("2017-06-28", "2017-06-30") }
      try await runUntilQuiet(books, what)
      #expect(try await books.tables() == expected, "\(what)")
      #expect(try await books.leftovers() == [], "\(what)")
      #expect(try await books.stale().isEmpty, "\(what)")
      number += stride
    }
    #expect(moments > 2)
    Chaos.report("\(other.rawValue): at \(moments) calls of a night, \(fenced) writes fenced")
  }

  private func runUntilQuiet(_ books: DemoBooks, _ what: String) async throws {
    var codes: [Int32] = []
    // The second closes again what the first found stale behind itself.
    for _ in 0..<2 {
      let report = try await books.close(
        "2017-06-30", DemoBooks.settings { $0.waitSeconds = 5 })
      codes.append(report.exitCode)
    }
    #expect(codes == [0, 0], "\(what)")
  }

  private func reference(_ other: Other) async throws -> [String] {
    let books = try await DemoBooks.small()
    try await books.importFiles(other.files)
    if other == .backfill { _ = try await books.close("2017-06-28") }
    _ = try await books.close("2017-06-30")
    return try await books.tables()
  }

  /// The date before the nights is concerned too.
  private static let corrections =
    SmallWorld.corrections + [
      (kind: "prices", csv: "date,symbol,close,currency\n2017-06-28,IVY,19.31,USD\n")
    ]

  /// A correction of each kind of input, of what was closed before the night and of the night.
  private static let everyInput: [(kind: String, csv: String)] =
    corrections + [
      (
        "instruments", "symbol,name,kind,currency,multiplier,pricing\nOAK,Oak,equity,USD,1,quoted\n"
      ),
      ("portfolios", "code,name,base_currency,inception_date\nASH,Ash & Sons,USD,2017-01-02\n"),
      ("fx-rates", "date,base,quote,rate\n2017-06-28,EUR,USD,1.1391\n2017-06-30,EUR,GBP,0.8801\n"),
      (
        "corporate-actions",
        "ex_date,symbol,type,value,currency\n2017-06-29,OAK,dividend,0.24,USD\n"
      ),
      ("calendars", "calendar,date,open\nweekdays,2017-07-04,false\n"),
      ("valuations", "portfolio,symbol,date,value\nCEDAR,MEADOW,2017-05-31,6431.08\n"),
    ]

  private func lockAndUnlock(_ books: DemoBooks) async throws {
    var impatient = books.configuration
    impatient.lockTimeoutMilliseconds = 200
    try await Connection.once(impatient) { db in
      _ = try PeriodLocking.lock(DemoBooks.month("2017-05", force: true), on: db)
      _ = try PeriodLocking.unlock(DemoBooks.month("2017-05"), on: db)
    }
  }

  private func happen(_ other: Other, _ books: DemoBooks, beside night: HeldRun) async throws {
    var impatient = DemoBooks.settings(workers: 1) { $0.waitSeconds = 0 }
    switch other {
    case .sameNight: _ = try await books.close("2017-06-30", impatient)
    case .takeover:
      try await books.expireLeases()
      _ = try await books.close("2017-06-30", impatient)
    case .correction, .everyInput: try await correct(other.files, books, beside: night)
    case .forgotten: try await forget(books, beside: night)
    case .forgottenAfterInput:
      try await correct(other.files, books, beside: night)
      try await forget(books, beside: night)
    case .lock:
      do {
        try await lockAndUnlock(books)
      } catch is LockHeld {
        // The night stands within a claim: a lock waits for its end, but not for ever.
      }
    case .replay:
      try await correct(other.files, books, beside: night)
      impatient.codes = ["ASH", "BIRCH"]
      _ = try await books.replay("2017-06-28", "2017-06-28", impatient)
    case .backfill:
      _ = try await books.replay("2017-06-28", "2017-06-28", impatient)
    case .cleanup:
      try await books.expireLeases()
      try await books.cleanUp()
    case .liveCleanup: #expect(try await books.cleanUp() == 0)
    case .lostLease:
      try await books.loseLeases()
      try await books.cleanUp()
    case .pause:
      try await books.perform { db in
        try Runs.pause(reason: "test", on: db)
        _ = try Runs.resume(on: db)
      }
    }
  }

  private func correct(
    _ files: [(kind: String, csv: String)], _ books: DemoBooks, beside night: HeldRun
  ) async throws {
    try await letting(night, goOnWhere: DemoBooks.someoneWaitsForMoments, books) {
      try await books.importFiles(files)
    }
  }

  private func forget(_ books: DemoBooks, beside night: HeldRun) async throws {
    try await letting(night, goOnWhere: DemoBooks.someoneWaits, books) {
      try await books.execute("delete from closebell.portfolio_irr_moments")
    }
  }

  /// Changes what the night keeps; where it has begun to keep moments `body` waits for its commit,
  /// and the night goes on.
  ///
  /// - Parameter someoneWaits: SQL that is true once `body` does.
  private func letting(
    _ night: HeldRun, goOnWhere someoneWaits: String, _ books: DemoBooks,
    _ body: () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          if try await books.integer("(\(someoneWaits))::int") > 0 {
            return night.gate.open()
          }
          try? await Task.sleep(for: .milliseconds(5))
        }
      }
      try await body()
      group.cancelAll()
    }
  }
}
