import Accounting
import Close
import Import
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

/// What is read of the closed books is of one moment, whatever commits while it is read.
///
/// A reading is held up before each of its calls in turn, and somebody else's work is begun and
/// done there; and a replay is held up before each of its own, and everything is read there.
@Suite(.serialized) struct OneMomentTests {
  private static let dates = ["2017-06-28", "2017-06-29", "2017-06-30"]

  @Test("whichever of show's calls a replay commits before, its numbers make one book")
  func show() async throws {
    try await replayAtEveryCall { db in
      guard let shown = try Readings.shown("ASH", "2017-06-30", on: db) else {
        return ["ASH is not closed"]
      }
      return shown.contradictions + Self.contradictions(ofReturnsOf: shown)
    }
  }

  @Test(
    "whichever of an export's calls a replay commits before, the dates of a chunk are one chain")
  func export() async throws {
    try await replayAtEveryCall { db in
      let chunk = try Readings.exported(from: Self.dates[0], through: Self.dates[2], on: db)
      return chunk.flatMap(\.contradictions) + Self.contradictions(ofChain: chunk)
        + (chunk.count == 8 ? [] : ["\(chunk.count) dates for 8"])
    }
  }

  @Test("whichever of explain's calls a replay commits before, the stored date follows from it")
  func explain() async throws {
    try await replayAtEveryCall { db in
      guard case .closed(let slot) = try Readings.explained("ASH", "2017-06-30", on: db) else {
        return ["ASH cannot be explained"]
      }
      return slot.shown.contradictions + slot.differences.map { "\($0)" }
        + slot.unseenChanges.map { "\($0)" }
    }
  }

  @Test("whichever of status's calls a first close commits before, nothing is told to be missing")
  func status() async throws {
    let books = try await DemoBooks.small()
    try await books.execute(KeptTables.keep)
    try await atEveryCall(books) {
      try await books.execute(KeptTables.bringBack)
    } meanwhile: {
      // CEDAR had no date; it has one now, on which it is expected.
      _ = try await books.replay(Self.dates[0], Self.dates[0])
    } reading: { db in
      try Self.contradictions(of: Readings.coverage(of: Self.dates[0], on: db))
    }
  }

  @Test("at whichever call of a replay the books are read, what is read is one moment's")
  func atCallsOfReplay() async throws {
    let books = try await closed()
    let stride = Chaos.isThorough ? 1 : 5
    var random = SeededGenerator(stream: 7)
    var number = Int.random(in: 1...stride, using: &random)
    var moments = 0
    while true {
      try await correct(books, moments)
      let replay = books.begin(
        .replay(Self.dates[1], Self.dates[2]), DemoBooks.settings(workers: 1, chunk: 2),
        heldAt: .call(number))
      guard try await replay.standsStill() else {
        _ = try await replay.goOn()
        break
      }
      moments += 1
      let found = try await books.perform { db in
        guard let shown = try Readings.shown("ASH", Self.dates[2], on: db) else {
          return ["ASH is not closed"]
        }
        let chunk = try Readings.exported(from: Self.dates[0], through: Self.dates[2], on: db)
        let coverage = try Readings.coverage(of: Self.dates[2], on: db)
        return shown.contradictions + chunk.flatMap(\.contradictions)
          + coverage.dates.filter { $0.states.complete != 3 || $0.missing != 0 }.map { "\($0)" }
      }
      #expect(found == [], "at call \(number), \(replay.gate.name ?? "")")
      let report = try await replay.goOn()
      #expect(report.exitCode == 0)
      number += stride
    }
    #expect(moments > 5)
    Chaos.report("the books were read at \(moments) calls of a replay")
  }

  // MARK: - What happens meanwhile

  private func closed() async throws -> DemoBooks {
    let books = try await DemoBooks.small()
    for date in Self.dates.dropFirst() { _ = try await books.close(date) }
    return books
  }

  /// A close that is other than the time before.
  private func correct(_ books: DemoBooks, _ number: Int) async throws {
    let price = number.isMultiple(of: 2) ? "61.93" : "58.11"
    try await books.importText(
      .prices,
      "date,symbol,close,currency\n2017-06-29,OAK,\(price),USD\n"
        + "2017-06-30,IVY,\(price),USD\n")
  }

  private func replayAtEveryCall(
    reading body: @escaping @Sendable (isolated Connection) throws -> [String]
  ) async throws {
    let books = try await closed()
    let times = Mutex(0)
    try await atEveryCall(books) {
    } meanwhile: {
      let number = times.withLock { times in
        times += 1
        return times
      }
      try await correct(books, number)
      let report = try await books.replay(Self.dates[1], Self.dates[2])
      #expect(report.exitCode == 0 && report.counts.completed > 0)
    } reading: { db in
      try body(db)
    }
  }

  /// Reads once for each call that the reading makes, each time held up at another.
  private func atEveryCall(
    _ books: DemoBooks, before: () async throws -> Void, meanwhile other: () async throws -> Void,
    reading body: @escaping @Sendable (isolated Connection) throws -> [String]
  ) async throws {
    var moments = 0
    while true {
      try await before()
      let gate = Gate(before: .call(moments + 1))
      let ending = Ending()
      async let found = ending.told { try await books.perform(heldAt: gate, body) }
      guard try await gate.reached(unless: { ending.isOver }) else {
        #expect(try await found == [])
        break
      }
      moments += 1
      do {
        try await other()
      } catch {
        gate.open()
        throw error
      }
      gate.open()
      #expect(try await found == [], "at call \(moments), \(gate.name ?? "")")
    }
    #expect(moments > 4)
  }

  /// Whether something that goes on beside the test is over.
  private final class Ending: Sendable {
    private let state = Mutex(false)

    var isOver: Bool { state.withLock { $0 } }

    func told<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
      defer { state.withLock { $0 = true } }
      return try await body()
    }
  }

  // MARK: - What must be true of one moment

  private static func contradictions(ofReturnsOf shown: ShownSnapshot) -> [String] {
    let snapshot = shown.stored.snapshot
    guard let daily = shown.returns.first(where: { $0.period == .daily })?.value.linked else {
      return ["no return of the day"]
    }
    var found: [String] = []
    if daily != snapshot.dailyReturn { found.append("daily return \(daily)") }
    if abs((shown.cumulativeReturn ?? .nan) - (snapshot.index - 1)) > 1e-12 {
      found.append("cumulative \(shown.cumulativeReturn ?? .nan), index \(snapshot.index)")
    }
    return found
  }

  private static func contradictions(ofChain chunk: [ShownSnapshot]) -> [String] {
    zip(chunk, chunk.dropFirst()).compactMap { one, next in
      guard one.portfolio.id == next.portfolio.id,
        one.stored.snapshot.closingEquity != next.stored.snapshot.openingEquity
      else { return nil }
      return "\(one.portfolio.code) closes at \(one.stored.snapshot.closingEquity) and opens at "
        + "\(next.stored.snapshot.openingEquity)"
    }
  }

  private static func contradictions(of coverage: CoverageReport) -> [String] {
    coverage.dates.filter { ![2, 3].contains($0.states.complete) || $0.missing != 0 }
      .map { "\($0)" } + (coverage.runs.contains { $0.status == "running" } ? ["a run"] : [])
  }
}

/// The readings of the closed books, as the commands make them.
enum Readings {
  private static func day(_ date: String) -> Day { Day(date) ?? .earliest }

  static func shown(
    _ code: String, _ date: String, on db: isolated Connection
  ) throws -> ShownSnapshot? {
    guard case .closed(let shown) = try db.readBooks({ try $0.show(code, on: day(date)) }) else {
      return nil
    }
    return shown
  }

  static func exported(
    from first: String, through last: String, on db: isolated Connection
  ) throws -> [ShownSnapshot] {
    var chunks: [[ShownSnapshot]] = []
    try db.forEachClosed(codes: [], from: day(first), through: day(last)) { chunks.append($0) }
    return chunks.count == 1 ? chunks[0] : []
  }

  static func explained(
    _ code: String, _ date: String, on db: isolated Connection
  ) throws -> Explained {
    try db.readBooks { try $0.explain(code, on: day(date)) }
  }

  static func coverage(of date: String, on db: isolated Connection) throws -> CoverageReport {
    try db.readBooks { try $0.coverage(from: day(date), through: day(date)) }
  }
}
