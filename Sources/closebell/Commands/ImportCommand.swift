import ArgumentParser
import Console
import Glibc
import Import
import Operations
import Problems
import Settings
import Text

extension ImportKind: ExpressibleByArgument {}

/// Files into the books' inputs.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports CSV files and exports; a bad row never costs the others.",
    discussion: """
      KIND is one of portfolios, instruments, prices, fx-rates, activities, valuations, \
      corporate-actions, calendars. A file imported twice changes nothing; one that was stopped \
      goes on with closebell imports resume. Files compressed with gzip are read as they are. \
      --format reads exports of other programs: as CSV, and as XML of interactive-brokers (a Flex \
      query: instruments, fx-rates, activities) and of portfolio-performance (its file saved as \
      XML: instruments, prices, activities), one kind a command. \
      Exit code 65 where rows were refused; they are listed, and kept: closebell imports show ID.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: ImportOptions

  @Argument(help: "What the files hold.")
  var kind: ImportKind

  @Argument(help: "CSV files or exports; - is standard input.")
  var files: [String]

  @Flag(help: "Check everything and say what would change, but change nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Write refused rows here, to be mended and imported again.", valueName: "file"))
  var rejects: String?

  @Flag(help: "Only queue the files, for closebell imports work.")
  var background = false

  func validate() throws {
    if rejects != nil, files.count > 1 {
      throw ValidationError("--rejects is for one file: import them one by one")
    }
    if dryRun, background || rejects != nil {
      throw ValidationError("a dry run goes without --background and --rejects")
    }
    try requireOwnStream(rejects, common)
    if background, rejects != nil {
      throw ValidationError("refused rows of a queued import: closebell imports rejects ID")
    }
  }

  func run() async throws {
    let rejects = try rejects.map { try RejectsFile($0) }
    let session = common.importSession()
    var worst: Int32 = 0
    for (place, file) in files.enumerated() {
      do {
        let code = try await take(file, rejects, session)
        worst = Severity.worse(worst, code)
      } catch {
        guard files.count > 1, !(error is Ended) else { throw error }
        let problem = error.stated
        try report(problem, of: file)
        worst = Severity.worse(worst, problem.code.kind.exitCode)
      }
      if Severity.concernsEverything(worst) || session.isStopped {
        for file in files[(place + 1)...] { Terminal.complain(.error, "\(file) was not begun") }
        break
      }
    }
    await session.imports.end()
    if worst != 0 { throw Ended(code: worst) }
  }

  /// Imports a file, or queues it.
  ///
  /// - Returns: The exit code, as if it were the only one.
  private func take(
    _ file: String, _ rejects: RejectsFile?, _ session: ImportSession
  ) async throws -> Int32 {
    let request = try options.request(kind, file, dryRun: dryRun)
    if belongsInBackground(file) {
      try await queue(request, file, session.imports)
      return 0
    }
    return try await session.taking(rejects) { try await $0.take(request) }
  }

  /// Says that one of several files was not imported.
  private func report(_ problem: StatedProblem, of file: String) throws {
    if common.json {
      let failed = FailedImport(kind: kind, source: file, error: "\(problem)")
      StandardOutput.json(try JSON(encoding: failed))
    }
    Terminal.complain(problem, about: "import of \(file)")
  }

  private func belongsInBackground(_ file: String) -> Bool {
    if background { return true }
    guard !dryRun, rejects == nil, file != "-",
      let threshold = Settings.current.importBackgroundThreshold
    else { return false }
    var status = stat()
    return stat(file, &status) == 0 && Int(status.st_size) > threshold.bytes
  }

  private func queue(
    _ request: ImportRequest, _ file: String, _ imports: Importing
  ) async throws {
    try common.present(try await imports.queue(request, source: file)) { queued in
      ["\(queued.kind): \(queued.source) is queued as import \(queued.id)"]
    }
    if !common.json, !common.quiet {
      Terminal.complain(.more, "hint: \(Action.workImports.command)")
    }
  }
}
