public import Postgres
public import Sequences

extension SequenceScope {
  /// All sequences of a database, with ours apart: a claim id or a run's number is taken where we
  /// wrote one, and not because a table of somebody else's has its default draw from our sequence.
  public static let everything = SequenceScope.database(apart: "closebell")
}

/// The look at our own sequences with which a run or an import begins.
///
/// A copy of the tables without their sequences, a row inserted by hand or a `setval` gone wrong
/// would make a run give ids out that are taken. It costs one round trip: largest values by the end
/// of an index where there is one, else in the newest pages, which suffices for tables that only
/// grow; indexes on the ids of returns would cost every night more than they tell. `sequences check
/// --scan` reads them whole.
public enum OwnSequences {
  /// Who is going to draw from them.
  public enum Work: Sendable {
    /// Nights, replays and repairs.
    case runs
    /// Imports.
    case imports
  }

  /// Moves every sequence of ours that is behind forward; nothing is written where none is.
  ///
  /// - Returns: The names of those that were moved.
  /// - Throws: `SequenceError.behind` where our role cannot.
  @discardableResult
  public static func keepAhead(
    for work: Work = .runs, on db: isolated Connection
  ) throws -> [String] {
    let find = work == .runs ? findBehind : findBehindForImports
    let behind = try db.rows(find) { (try $0.nextString(), try $0.nextInt64()) }
    guard !behind.isEmpty else { return [] }
    var problems: [String] = []
    for (name, taken) in behind {
      guard
        let sequence = try SequenceCatalogue.find([name], in: .schema("closebell"), on: db).first
      else { continue }
      let (outcome, health) = try SequenceRepair.repair(sequence, taken: taken, on: db)
      if case .refused(let reason) = outcome {
        let next = health.next.map { "\($0)" } ?? "?"
        problems.append("\(name) gives \(next) next, and \(taken) is taken: \(reason)")
      }
    }
    guard problems.isEmpty else { throw SequenceError.behind(problems) }
    return behind.map { $0.0 }
  }

  /// What runs draw from, and activities: sequence, what is taken of it at least, increment.
  ///
  /// A test holds the list against what a night and a replay really move. Claim ids fence every
  /// write: one that was used before would let a dead run's writes through.
  static let ofRuns: [Drawn] = [
    ("batch_runs_id_seq", largest("id", "batch_runs"), 1), inputChanges, activities,
    ("portfolio_fund_irr_values_id_seq", newest("portfolio_fund_irr_values"), 500),
    ("portfolio_irr_values_id_seq", newest("portfolio_irr_values"), 500), claims,
  ]

  /// What imports draw from.
  static let ofImports: [Drawn] = [
    ("import_jobs_id_seq", largest("id", "import_jobs"), 1),
    ("portfolios_id_seq", largest("id", "portfolios"), 1),
    ("instruments_id_seq", largest("id", "instruments"), 1),
    ("portfolio_funds_id_seq", largest("id", "portfolio_funds"), 1), inputChanges, activities,
    claims,
  ]

  typealias Drawn = (sequence: String, taken: String, increment: Int)

  private static let inputChanges: Drawn = (
    "input_changes_id_seq", largest("id", "input_changes"), 1
  )
  private static let activities: Drawn = (
    "holding_activity_log_id_seq", newest("holding_activity_log"), 1
  )
  private static let claims: Drawn = (
    "claim_id_seq",
    """
    (select greatest(\(largest("claim_id", "worker_lease")), max(s.claim_id), (
          select max(j.claim_id) from (select j.claim_id from closebell.import_jobs j
            order by j.id desc limit 16) j))
      from (select s.claim_id from closebell.portfolio_snapshots s
        order by s.snapshot_date desc, s.portfolio_id desc limit 16) s)
    """, 1
  )

  private static func largest(_ column: String, _ table: String) -> String {
    "(select max(t.\(column)) from closebell.\(table) t)"
  }

  private static func newest(_ table: String) -> String {
    let pages = SequenceSQL.pages(of: "'closebell.\(table)'")
    return "(select max(t.id) from closebell.\(table) t where "
      + "\(SequenceSQL.isNewest("t", 8, of: pages)))"
  }

  /// The names of those that are looked at.
  public static func names(for work: Work = .runs) -> [String] {
    (work == .runs ? ofRuns : ofImports).map { "closebell.\($0.sequence)" }
  }

  private static let findBehind = Statement.once("sequences-behind", behind(ofRuns))
  private static let findBehindForImports = Statement.once(
    "sequences-behind-imports", behind(ofImports))

  /// What would come after the last value of all is no number of 64 bits; who draws it is told so.
  private static func behind(_ sequences: [Drawn]) -> String {
    let looks = sequences.map { sequence, taken, increment in
      """
      select 'closebell.\(sequence)' as name, \(taken) as taken,
        q.last_value::numeric + case when q.is_called then \(increment) else 0 end as next
      from closebell.\(sequence) q
      """
    }
    return """
      select s.name, s.taken from (
      \(looks.joined(separator: "\nunion all\n"))
      ) s where s.taken >= s.next
      """
  }
}
