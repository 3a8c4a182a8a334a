internal import Accounting
internal import Postgres
internal import Storage

/// What a run asks of the database, and all that it asks.
///
/// Each call is one statement or one transaction of its own: between two of them anything may
/// happen, in them nothing. `Connection` is the store that counts; a simulated one lets the tests
/// run the very same workers through ten thousand histories of crashes, cuts and late writes.
protocol CloseStore: Actor {
  // MARK: Planning

  func portfolios(
    after: Int64, limit: Int, activeOn date: Day, of selection: PortfolioSelection,
    retired: RetiredPortfolios
  ) throws -> [PlannedPortfolio]
  func retired(among portfolios: [ID<Portfolio>], before date: Day) throws -> [ID<Portfolio>]
  func completeSlots(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day
  ) throws -> [Slot]
  func openingsBefore(_ first: Day, of portfolios: [ID<Portfolio>]) throws -> [ID<Portfolio>: Day]
  func activityCounts(of portfolios: [ID<Portfolio>]) throws -> [ID<Portfolio>: Int]
  func stale(
    through: Day, includingLocked: Bool, of selection: PortfolioSelection
  ) throws -> [ID<Portfolio>: Day]

  // MARK: Claims

  func renew(_ lease: Lease, seconds: Double) throws -> Bool
  func cover(from first: Day, through last: Day, _ lease: Lease) throws
  func require(_ lease: Lease) throws
  func claim(
    _ claims: [SlotClaim], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> Set<Slot>
  func holders(of slots: [Slot]) throws -> [SlotHolder]
  func unfinished(of portfolios: [ID<Portfolio>], through: Day) throws -> [SlotHolder]
  func takeOver(
    _ holders: [SlotHolder], links: [Slot: SlotClaim.Link], as lease: Lease, run: Int64,
    overLocks: Bool
  ) throws -> (ours: Set<Slot>, relinquish: Set<Slot>)
  func discard(_ holders: [SlotHolder]) throws
  func claimComplete(
    _ slots: [Slot], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> [Slot: ClaimedClose]
  func locked(among slots: [Slot]) throws -> Set<Slot>
  func fail(_ failures: [(slot: Slot, error: String, sqlState: String?)], as claim: Int64) throws
  func release(_ slots: [Slot], as claim: Int64) throws
  func relinquish(as claim: Int64) throws

  // MARK: Inputs

  func market(from first: Day, through last: Day) throws -> LoadedMarket
  /// The `pg_snapshot` of now, where no input changed since another one; nil where some did.
  func unchanged(since seen: String) throws -> String?
  /// Runs `body` so that all its reads see one moment.
  func reading<R>(_ body: (isolated Self) throws -> R) throws -> R
  func inputs(of segments: [ChainSegment], market: LoadedMarket) throws -> ChunkInputs
  func history(of holdings: [(holding: ID<Holding>, through: Day)]) throws -> [StoredActivity]
  func externalFlows(of portfolios: [ID<Portfolio>], through: Day) throws -> [StoredActivity]

  // MARK: Results

  func storedCloses(of slots: [Slot]) throws -> [Slot: StoredCloses.StoredClose]
  func populate(_ chunk: PopulateChunk) throws -> Set<Slot>
  func confirm(_ slots: [ConfirmedSlot], inputsSeen: String, as claim: Int64) throws

  // MARK: Beginning and ending

  /// Takes dead runs' placeholders back, and records a new run with its claim and lease.
  ///
  /// - Returns: Nil while claims are paused.
  /// - Throws: `LockedRange` where a replay would touch locked dates, `UnknownPortfolios`.
  func begin(_ opening: RunOpening) throws -> BegunRun?
  /// Gives back what the run still holds, ends its lease and records how it went.
  func end(_ ending: RunEnding) throws -> Day?
}

/// What a run says of itself when it begins.
struct RunOpening: Sendable {
  var kind: String
  /// Nil for a repair that closes nothing again.
  var from: Day?
  var through: Day
  var settings: RunSettings
  /// What a repair is going to carry out.
  var repair: EquityRepairTask?
  /// Of its lease.
  var token: Int64
}

/// What a run is given when it begins.
struct BegunRun: Sendable {
  var run: Int64
  /// What it must hold to write; its claim fences every write.
  var lease: Lease
  /// The portfolios that it is for.
  var selection: PortfolioSelection
  /// The dates that its lease covers so far.
  var covered: ClosedRange<Day>?
  /// How many placeholders of dead owners were taken back.
  var reclaimed: Int
  var overrides: [ExactText: [Day: Bool]]
}

/// How a run went.
struct RunEnding: Sendable {
  var run: Int64
  var lease: Lease
  var ending: Runs.Ending
  var exitCode: Int32
  var counts: String
  /// Whether to look for placeholders that the run did not close; it reads all slots of its dates.
  var mayHoldPlaceholders: Bool
  /// Whether to look for slots that are stale now.
  var asksForStale: Bool
  /// Whether it was a repair, and all of it was done.
  var concludesRepair = false
}
