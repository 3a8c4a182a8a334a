public import ArgumentParser
import Glibc
public import Import
import Postgres
import Presentation
import Storage

extension ImportKind: ExpressibleByArgument {}

/// CSV files into the books' inputs.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports CSV files; a bad row never costs the others.",
    discussion: """
      KIND is one of portfolios, instruments, prices, fx-rates, activities, valuations, \
      corporate-actions, calendars. A file imported twice changes nothing; one that was stopped \
      goes on with closebell imports resume. Files compressed with gzip are read as they are. \
      Exit code 65 where rows were refused; they are listed, and kept: closebell imports show ID.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: ImportOptions

  @Argument(help: "What the files hold.")
  var kind: ImportKind

  @Argument(help: "CSV files; - is standard input.")
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
    if background, rejects != nil {
      throw ValidationError("refused rows of a queued import: closebell imports rejects ID")
    }
  }

  func run() async throws {
    let rejects = try rejects.map { try RejectsFile($0) }
    let session = try await ImportSession(common)
    let connection = try await session.connect()
    var worst: Int32 = 0
    for file in files where !session.isStopped {
      let request = try options.request(kind, file, dryRun: dryRun)
      if belongsInBackground(file) {
        try await queue(request, file, connection)
        continue
      }
      let report = try await runImport(request, on: connection, control: session.control)
      let code = try await session.conclude(report, rejects: rejects, connection)
      worst = code == 0 ? worst : code
    }
    await connection.close()
    if worst != 0 { throw Failure("", code: worst) }
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
    _ request: ImportRequest, _ file: String, _ connection: Connection
  ) async throws {
    let job = try await connection.perform { db in try ImportQueue.add(request, on: db) }
    if common.json {
      let fields: [(String, JSON)] = [
        ("job_id", .integer(Int(job))), ("kind", .string(kind.rawValue)),
        ("source", .string(file)), ("status", .string("queued")),
      ]
      StandardOutput.json(JSON.object(fields))
    } else if !common.quiet {
      StandardOutput.line("\(kind.rawValue): \(file.shown) is queued as import \(job)")
      Terminal.complain("hint: closebell imports work")
    }
  }
}
