import Postgres
import Storage
import TestSupport
import Testing

@testable import Import

/// The look at our own sequences with which an import begins.
@Suite struct BehindSequenceTests {
  private static let setBack = """
    select setval(('closebell.' || quote_ident(sequencename))::regclass, 1, false)
    from pg_sequences where schemaname = 'closebell'
    """

  private static func deposits(_ numbers: some Sequence<Int>) -> String {
    "id,portfolio,date,type,amount\n"
      + numbers.map { "S-\($0),ALPHA,2020-02-03,deposit,\($0)\n" }.joined()
  }

  @Test("an import into books whose sequences fell behind refuses no row, and gives no id twice")
  func setBack() async throws {
    for dryRun in [false, true] {
      let books = try await Books.small()
      try await books.mustImport(.activities, Self.deposits(1...50))
      _ = try await books.texts(Self.setBack)
      for (kind, text) in [
        (ImportKind.activities, Self.deposits(51...90)),
        (.instruments, "symbol,name,kind,currency\nNEW,New,equity,USD\n"),
        (.portfolios, "code,name,base_currency,inception_date\nDELTA,Delta,USD,2020-01-01\n"),
        (.valuations, "portfolio,symbol,date,value\nBETA,FUND,2020-03-02,10\n"),
      ] {
        let report = try await books.importing(kind, text, dryRun: dryRun)
        #expect(report.refused == 0, "\(kind): \(report.refusedRows)")
        #expect(report.inserted == (kind == .activities ? 40 : 1), "\(kind)")
      }
      let twice = try await books.texts(
        "select id from closebell.holding_activity_log group by id having count(*) > 1")
      #expect(twice == [])
    }
  }

  @Test("so does one that is queued, taken or resumed")
  func queued() async throws {
    let books = try await Books.small()
    let files = [ScratchFile(Self.deposits(1...20)), ScratchFile(Self.deposits(21...40))]
    func request(_ file: ScratchFile) -> ImportRequest {
      ImportRequest(kind: .activities, source: .file(file.path), batchSize: 10)
    }
    let connection = try await books.connect()
    let stopped = try await runImport(
      request(files[0]), on: connection, control: ImportControl(shouldStop: { true }))
    _ = try await books.texts(Self.setBack)
    let second = request(files[1])
    let queued = try await books.perform { db in try ImportQueue.add(second, on: db) }
    _ = try await books.texts(Self.setBack)
    let resumed = try await resumeImport(
      try #require(stopped.jobID), on: connection, control: ImportControl())
    #expect(resumed.inserted == 20)
    _ = try await books.texts(Self.setBack)
    let taken = try #require(
      try await runQueuedImport(on: connection, control: ImportControl()))
    #expect(taken.job == queued)
    #expect(try taken.result.get().inserted == 20)
    await connection.close()
    let claims = try await books.texts(
      "select claim_id from closebell.import_jobs where claim_id is not null")
    #expect(Set(claims).count == claims.count, "a claim's number is never used again")
  }

  @Test("every sequence that an import moves is looked at")
  func listIsWhole() async throws {
    let standing = """
      select schemaname || '.' || sequencename from pg_sequences
      where schemaname = 'closebell' and last_value is not null
      """
    let books = try await Books.demo()
    let moved = try await books.texts(standing).map { $0.filter { !"()".contains($0) } }
    #expect(moved.count >= 6)
    // Made beside the schema, and by no import.
    let made: Set = ["portfolio_fund_irr_values_id_seq", "portfolio_irr_values_id_seq"]
    #expect(
      Set(moved).subtracting(made.map { "closebell.\($0)" })
        == Set(OwnSequences.names(for: .imports)))
  }
}
