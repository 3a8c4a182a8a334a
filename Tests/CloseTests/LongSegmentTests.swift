import Accounting
import Import
import Postgres
import Storage
import TestSupport
import Testing

@testable import Close

/// A segment of more dates than a chunk has room for is closed part by part: what is claimed and
/// held in memory does not grow with the range.
@Suite struct LongSegmentTests {
  private static let first = Day("2024-01-01") ?? .earliest
  private static let lockWait = PostgresError(
    .server, "canceling statement due to lock timeout", sqlState: "55P03")

  private static func segment(_ kinds: [ChainSegment.Step.Kind]) throws -> ChainSegment {
    ChainSegment(
      portfolio: Portfolio(
        id: ID(1), code: "LONG", baseCurrency: try #require(Currency("EUR")), inception: first),
      openedFrom: nil,
      steps: kinds.enumerated().map { ChainSegment.Step(first + $0.offset, $0.element) })
  }

  /// The parts that a machine hands out, each of them closed whole.
  private static func parts(_ segment: ChainSegment, room: Int) throws -> (
    parts: [ChainSegment], planned: Int
  ) {
    var work = ChunkWork([segment], room: room)
    var parts: [ChainSegment] = []
    var outcome = ChunkOutcome()
    while case .close(let part) = work.next {
      parts += part
      outcome.counts += work.succeeded(ChunkOutcome(), goesOn: true).counts
    }
    return (parts, outcome.counts.planned)
  }

  @Test("the parts of a segment are its dates in their order, each part as long as there is room")
  func plain() throws {
    for count in 1...13 {
      for room in 1...6 {
        let segment = try Self.segment(Array(repeating: .again, count: count))
        let (parts, planned) = try Self.parts(segment, room: room)
        #expect(parts.flatMap(\.steps) == segment.steps)
        #expect(parts.dropLast().allSatisfy { $0.steps.count == room })
        #expect(planned == 0)
        for (part, next) in zip(parts, parts.dropFirst()) {
          #expect(next.openedFrom == part.through)
        }
      }
    }
  }

  /// Every way in which holes, closed dates and new ones can follow each other: new ones come last,
  /// and behind a hole stands a closed date.
  private static func orders() -> [[ChainSegment.Step.Kind]] {
    var orders: [[ChainSegment.Step.Kind]] = []
    for length in 1...6 {
      for bits in 0..<(1 << length) {
        let closed = (0..<length).map {
          bits >> $0 & 1 == 0 ? ChainSegment.Step.Kind.again : .backfill
        }
        for new in 0...3 {
          orders.append(closed + [.again] + Array(repeating: .next, count: new))
        }
      }
    }
    return orders
  }

  @Test("a hole that is filled in parts has its end closed with each, opening from what is filled")
  func holes() throws {
    for kinds in Self.orders() {
      let segment = try Self.segment(kinds)
      for room in 1...5 {
        let (parts, planned) = try Self.parts(segment, room: room)
        var closed: Set<Day> = []
        for part in parts {
          // One more than there is room for: the slot behind the hole.
          #expect(part.steps.count <= room + 1)
          #expect(part.steps.last?.kind != .backfill)
          #expect(part.openedFrom.map(closed.contains) ?? closed.isEmpty)
          closed.formUnion(part.steps.map(\.date))
        }
        #expect(closed == Set(segment.steps.map(\.date)))
        #expect(parts.reduce(-planned) { $0 + $1.steps.count } == segment.steps.count)
      }
    }
  }

  /// What is counted when the first part does not end well.
  private static func left(_ outcome: ChunkOutcome, goesOn: Bool = true) throws -> ChunkOutcome {
    var work = ChunkWork([try segment(Array(repeating: .again, count: 10))], room: 4)
    let told = work.succeeded(outcome, goesOn: goesOn)
    #expect(work.next == nil)
    #expect(work.busy.map(\.steps) == told.busy.map(\.steps))
    return told
  }

  @Test("behind a part that could not be closed nothing is begun, and all of it is accounted for")
  func accounted() throws {
    var failed = ChunkOutcome()
    failed.counts.failed = 1
    failed.counts.blocked = 2
    #expect(try Self.left(failed).counts.blocked == 8)

    var locked = ChunkOutcome()
    locked.counts.locked = 4
    #expect(try Self.left(locked).counts.locked == 10)

    var fenced = ChunkOutcome()
    fenced.counts.fenced = 4
    #expect(try Self.left(fenced).counts.fenced == 10)

    var busy = ChunkOutcome()
    var held = try Self.segment(Array(repeating: .again, count: 4))
    held.steps.removeFirst(2)
    held.openedFrom = Self.first + 1
    busy.busy = [held]
    busy.counts.busy = 2
    let told = try Self.left(busy)
    #expect(told.counts.busy == 8)
    #expect(told.busy.map(\.steps.count) == [8])
    #expect(told.busy[0].openedFrom == Self.first + 1)

    let stopped = try Self.left(ChunkOutcome(), goesOn: false)
    #expect(stopped.counts.blocked == 0)
  }

  @Test("a lock that nobody gives free leaves the part and everything behind it for a later pass")
  func lock() throws {
    let segment = try Self.segment(Array(repeating: .again, count: 10))
    var work = ChunkWork([segment], room: 4)
    #expect(try work.failed(Self.lockWait, mayWrite: true) == nil)
    #expect(work.next == nil)
    #expect(work.busy.map(\.steps) == [segment.steps])
  }

  // MARK: - On a database

  /// LATE, closed for 2017-05-30 alone, or also for the last of 30 business days over a hole.
  private static func books(withHole: Bool) async throws -> DemoBooks {
    let books = try await LockBooks.open()
    try await books.importing(
      .activities, "id,portfolio,date,type,amount\nB1,LATE,2017-06-20,deposit,700\n")
    try await books.closeEach("2017-05-30", through: "2017-05-30")
    if withHole {
      let report = try await books.close("2017-07-10", DemoBooks.settings { $0.catchesUp = false })
      #expect(report.exitCode == 0, "\(report.failures)")
    }
    return books
  }

  @Test(
    "a replay of a long range claims a part at a time, and ends as one in one piece does",
    arguments: [false, true])
  func replay(withHole: Bool) async throws {
    let (books, whole) = (
      try await Self.books(withHole: withHole), try await Self.books(withHole: withHole)
    )
    let held = books.begin(
      .replay("2017-05-31", "2017-07-10"), DemoBooks.settings(workers: 1, chunk: 1),
      heldAt: .named("load-openings", nth: 3))
    #expect(try await held.standsStill())
    let slots = "select count(*) from closebell.portfolio_snapshots"
    #expect(try await books.integer("\(slots) where not is_complete") == 4)
    let closed = "is_complete and snapshot_date between '2017-05-31' and '2017-07-09'"
    #expect(try await books.integer("\(slots) where \(closed)") == 4)
    // What is closed so far is right as it stands, the slot behind a hole included.
    #expect(try await books.verify().isClean)
    let report = try await held.goOn()
    #expect(report.exitCode == 0)
    #expect(report.counts.planned == report.counts.completed)
    #expect(try await whole.replay("2017-05-31", "2017-07-10").exitCode == 0)
    #expect(try await books.tables() == (try await whole.tables()))
    #expect(try await books.leftovers() == [])
    #expect(try await books.firstStale() == nil)
    #expect(try await books.verify().isClean)
  }

  @Test("what is closed behind dates that the same run replaced is not stale for that")
  func replaced() async throws {
    let books = try await Self.books(withHole: false)
    #expect(try await books.replay("2017-05-31", "2017-07-10").exitCode == 0)
    try await books.importing(
      .activities, "id,portfolio,date,type,amount\nM1,LATE,2017-05-31,deposit,5000\n")
    let settings = DemoBooks.settings(workers: 1, chunk: 1)
    let held = books.begin(
      .replay("2017-05-31", "2017-07-10"), settings, heldAt: .named("load-openings", nth: 3))
    #expect(try await held.standsStill())
    // The first part is replaced, and what follows is known to be stale: nothing else is wrong.
    let between = try await books.verify()
    #expect(between.chain.allSatisfy { $0.count == 0 }, "\(between.chain)")
    #expect(between.findings.allSatisfy { Array($0.dates.keys) == [.stale] })
    #expect(try await books.firstStale() == Day("2017-06-06"))
    let report = try await held.goOn()
    #expect(report.counts.completed == 29)
    #expect(try await books.firstStale() == nil)
    #expect(try await books.replay("2017-05-31", "2017-07-10").counts.completed == 0)
    #expect(try await books.verify().isClean)
  }
}
