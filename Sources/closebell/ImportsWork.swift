import ArgumentParser
import Console
import Import
import Operations
import Postgres
import Problems
import Settings
import Storage
import Text

/// Whose imports are taken up.
struct RequesterOptions: ParsableArguments {
  @Option(
    name: .customLong("requested-by"),
    help: ArgumentHelp(
      "Also take what this role asked for; may be given several times.",
      discussion: "Else only one's own requests are taken, and those of the owner of the tables.",
      valueName: "role"))
  var roles: [String] = []
}

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
        [
          isCancelled
            ? "import \(id) is cancelled; \(job.processed) rows were read"
            : "import \(id) is \(job.status): nothing to cancel"
        ]
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
    @OptionGroup var requesters: RequesterOptions
    @Argument(help: "The import's number.") var id: Int64

    @Option(
      help: ArgumentHelp(
        "Write all refused rows here, to be mended and imported again.", valueName: "file"))
    var rejects: String?

    func validate() throws { try RejectsFile.requireOwnStream(rejects, common) }

    func run() async throws {
      let rejects = try rejects.map { try RejectsFile($0) }
      let session = try await ImportSession(common, trustedRoles: requesters.roles)
      var connection: Connection?
      let code = try await session.taking(rejects, &connection) { [id] connection in
        try await resumeImport(id, on: connection, control: session.control) {
          $0.maxRows = Settings.current.importMaxRows
        }
      }
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
        may run at once: each import is claimed by one of them. A file that is not what it was \
        when it was queued is refused, and what others queued is left. Exit code 65 where rows \
        were refused, 1 where an import failed; the others are done all the same.
        """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var requesters: RequesterOptions

    @Option(
      help: ArgumentHelp("Take at most so many.", valueName: "n"),
      transform: Reading.whole(1...1_000_000).argument)
    var limit: Int?

    func run() async throws {
      let session = try await ImportSession(common, trustedRoles: requesters.roles)
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
      let left = try await tellOfUntaken(session, &connection)
      await connection?.close()
      if done == 0, left == 0, !common.quiet, !common.json {
        StandardOutput.line("nothing is queued")
      }
      if worst != 0 { throw ExitCode(worst) }
    }

    /// Says what is left in the queue, and why: it is no failure, or strangers could make one.
    ///
    /// - Returns: Of how many roles something is left.
    private func tellOfUntaken(
      _ session: ImportSession, _ connection: inout Connection?
    ) async throws -> Int {
      let roles = requesters.roles
      let untaken = try await session.ready(&connection).perform { db in
        try ImportQueue.untaken(besides: roles, on: db)
      }
      for left in untaken {
        let imports = left.count == 1 ? "1 queued import" : "\(left.count) queued imports"
        let cancel = Action.cancelImport(left.first).command
        if let role = left.role {
          let take = Action.workImportsOf(role: role).command
          Terminal.complain(
            .warning, "\(imports) of \(role) left: that role does not own the tables",
            hint: "if they are meant: \(take); else: \(cancel)")
        } else {
          Terminal.complain(
            .warning, "\(imports) left that nobody knows who asked for",
            hint: "import those files again, and cancel these: \(cancel)")
        }
      }
      return untaken.count
    }
  }
}
