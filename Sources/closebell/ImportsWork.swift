import ArgumentParser
import Import
import Operations
import Postgres
import Problems
import Storage

extension ImportsCommand {
  /// Stops one.
  struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stops an import before its next chunk, wherever it runs; it can be resumed.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The import's number.") var id: Int64

    func run() async throws {
      let connection = try await common.connect(for: "imports")
      let id = id
      let (isCancelled, job) = try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        return (try ImportJobs.cancel(id, on: db), try ImportHistory.one(id, on: db))
      }
      await connection.close()
      guard let job else { throw ImportJobError.unknown(id) }
      try common.present(PastImportResult(job)) { job in
        isCancelled
          ? "import \(id) is cancelled; \(job.processed) rows were read"
          : "import \(id) is \(job.status): nothing to cancel"
      }
    }
  }

  /// Goes on with one.
  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Goes on with an import that was stopped, failed, or died.",
      discussion: """
        It begins after the last chunk that was kept, with the options of the first time. The file \
        must still begin with what was imported from it; it may have grown.
        """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The import's number.") var id: Int64

    @Option(
      help: ArgumentHelp(
        "Write all refused rows here, to be mended and imported again.", valueName: "file"))
    var rejects: String?

    func validate() throws { try RejectsFile.requireOwnStream(rejects, common) }

    func run() async throws {
      let rejects = try rejects.map { try RejectsFile($0) }
      let session = try await ImportSession(common)
      var connection: Connection?
      let report = try await resumeImport(
        id, on: session.ready(&connection), control: session.control
      ) {
        $0.maxRows = Settings.current.importMaxRows
      }
      let code = try await session.conclude(report, rejects: rejects, &connection)
      await connection?.close()
      if code != 0 { throw ExitCode(code) }
    }
  }

  /// Takes those that wait.
  struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Imports what waits in the background, first come first served.",
      discussion: """
        Takes queued imports, and background ones whose process died, until none is left. Several \
        may run at once: each import is claimed by one of them. Exit code 65 where rows were \
        refused, 1 where an import failed; the others are done all the same.
        """)
    @OptionGroup var common: CommonOptions

    @Option(
      help: ArgumentHelp("Take at most so many.", valueName: "n"),
      transform: Reading.whole(1...1_000_000).argument)
    var limit: Int?

    func run() async throws {
      let session = try await ImportSession(common)
      var connection: Connection?
      var (done, worst): (Int, Int32) = (0, 0)
      while !session.isStopped, done < limit ?? .max,
        let (job, result) = try await runQueuedImport(
          on: session.ready(&connection), control: session.control)
      {
        done += 1
        do {
          let code = try await session.conclude(
            try result.get(), rejects: nil, &connection)
          worst = Severity.worse(worst, code)
        } catch {
          Terminal.complain(error.stated, about: "import \(job)")
          worst = Severity.worse(worst, ProblemKind.refused.exitCode)
        }
      }
      await connection?.close()
      if done == 0, !common.quiet, !common.json { StandardOutput.line("nothing is queued") }
      if worst != 0 { throw ExitCode(worst) }
    }
  }
}
