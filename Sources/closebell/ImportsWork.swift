import ArgumentParser
import Console
import Operations
import Presentation
import Problems
import Settings
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
      let (isCancelled, job) = try await common.operations(for: "imports").cancelImport(id)
      try common.present(job) { job in
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

    func validate() throws { try requireOwnStream(rejects, common) }

    func run() async throws {
      let rejects = try rejects.map { try RejectsFile($0) }
      let session = common.importSession(trustedRoles: requesters.roles)
      let code = try await session.taking(rejects) { try await $0.resume(id) }
      await session.imports.end()
      if code != 0 { throw Ended(code: code) }
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
      let session = common.importSession(trustedRoles: requesters.roles)
      var (done, worst): (Int, Int32) = (0, 0)
      while !session.isStopped, done < limit ?? .max,
        let (job, result) = try await session.imports.takeQueued()
      {
        done += 1
        do {
          let code = try await session.conclude(try result.get(), rejects: nil)
          worst = Severity.worse(worst, code)
        } catch {
          Terminal.complain(error.stated, about: "import \(job)")
          worst = Severity.worse(worst, ProblemKind.refused.exitCode)
        }
      }
      let left = try await tellOfUntaken(session.imports)
      await session.imports.end()
      if done == 0, left == 0, !common.quiet, !common.json {
        StandardOutput.line("nothing is queued")
      }
      if worst != 0 { throw Ended(code: worst) }
    }

    /// Says what is left in the queue, and why: it is no failure, or strangers could make one.
    ///
    /// - Returns: Of how many roles something is left.
    private func tellOfUntaken(_ imports: Importing) async throws -> Int {
      let untaken = try await imports.untaken()
      for left in untaken {
        let text = UntakenImportsText(left)
        Terminal.complain(.warning, text.message, hint: text.hint)
      }
      return untaken.count
    }
  }
}
