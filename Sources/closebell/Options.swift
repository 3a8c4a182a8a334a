public import Accounting
public import ArgumentParser
import Console
import Operations
import Postgres
import PrivateCluster
import Problems
import Settings
import Storage
import Text

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where the books are.",
      discussion: """
        Else CLOSEBELL_DATABASE_URL, else the standard PG* variables, else the private cluster, \
        which is started if need be.
        """, valueName: "url"))
  var database: String?

  @Flag(help: "Print the result as one JSON object.")
  var json = false

  @Flag(help: "Print nothing but errors.")
  var quiet = false

  @Flag(help: "List everything, and pass on what the server notes.")
  var verbose = false

  @Option(help: "How messages on standard error look: text, or json, one object a line.")
  var logFormat: LogFormat?

  mutating func validate() throws {
    if let logFormat { Terminal.format = logFormat }
    guard let database else { return }
    // As a script's variable that is not set: not the database of somebody else's default.
    guard !database.isEmpty else {
      throw ValidationError(
        "--database: the connection string is empty\nhint: expected is \(Configuration.forms)")
    }
    if let objection = Configuration.objection(to: database) {
      throw ValidationError("--database: \(objection)\nhint: expected is \(Configuration.forms)")
    }
  }

  /// How to connect: an option wins over the environment, which wins over the private cluster.
  ///
  /// - Parameter onlyReads: Whether a server that may only be read will do, such as a standby.
  func configuration(
    for purpose: String, onlyReads: Bool = false
  ) async throws -> Configuration {
    let settings = Settings.current
    var configuration = Configuration(
      conninfo: try await conninfo(), applicationName: "closebell/\(purpose)",
      connectTimeoutSeconds: settings.connectTimeout.wholeSeconds,
      statementTimeoutMilliseconds: settings.statementTimeout.milliseconds,
      lockTimeoutMilliseconds: settings.lockTimeout.milliseconds)
    if let objection = configuration.objection {
      throw StatedProblem(
        ProblemCode("connection_string", .configuration), objection,
        remedy: "expected is \(Configuration.forms)")
    }
    for setting in configuration.overruled {
      Warnings.once(
        "\(setting), set by the options of the connection, has no effect",
        hint: Self.variables[setting].map { "\($0) sets it" })
    }
    configuration.onExposure = { Warnings.once($0.message, hint: $0.hint) }
    configuration.mayBeReadOnly = onlyReads
    if verbose {
      configuration.onNotice = { notice in
        Terminal.complain(
          LogLine.Level(rawValue: notice.severity.lowercased()) ?? .notice, notice.message)
      }
    }
    return configuration
  }

  /// What to set instead of a setting of the server's that sessions have from us.
  private static let variables = [
    "lock_timeout": Variables.lockTimeout.name,
    "statement_timeout": Variables.statementTimeout.name,
  ]

  private func conninfo() async throws -> String {
    if let database { return database }
    if let url = Settings.current.databaseURL { return url }
    let standard = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"]
    if standard.contains(where: { ProcessEnvironment.variables[$0] != nil }) { return "" }
    return try await Self.privateCluster.start()
  }

  /// The cluster that is used when no database is named.
  static var privateCluster: PrivateCluster {
    var environment = ProcessEnvironment.variables.compactMapValues(\.self)
    environment[Variables.home.name] = Settings.current.home
    return PrivateCluster(
      dataFolder: PrivateCluster.defaultDataFolder(environment: environment))
  }

  /// What a command does, on the database that is named.
  func operations(for purpose: String) -> Operations {
    Operations(
      caller: Host.caller,
      connect: { onlyReads in try await connect(for: purpose, onlyReads: onlyReads) },
      askClock: { try await ServerClock.ask($0, isStrict: $1) })
  }

  /// Prints a result: as JSON where that is asked for, else as text unless nothing is.
  func present<Result: Encodable>(
    _ result: Result, isError: Bool = false, text: (Result) -> [String]
  ) throws {
    try style.present(result, isError: isError, text: text)
  }

  /// How much is told, and in which form.
  var style: OutputStyle { OutputStyle(isJSON: json, isQuiet: quiet, isVerbose: verbose) }

  /// Imports with their signals, their progress, and their reports.
  func importSession(trustedRoles: [String] = []) -> ImportSession {
    let settings = Settings.current
    return ImportSession(
      operations(for: "import"),
      ImportLimits(
        maxRows: settings.importMaxRows, seconds: settings.importTimeout?.seconds,
        trustedRoles: trustedRoles),
      style)
  }

  /// A connection for one command.
  func connect(for purpose: String, onlyReads: Bool = false) async throws -> Connection {
    try await Connection.connect(configuration(for: purpose, onlyReads: onlyReads))
  }
}

extension Day: ExpressibleByArgument {
  /// Reads `YYYY-MM-DD`.
  public init?(argument: String) { self.init(argument) }
}

extension LogFormat: ExpressibleByArgument {}

extension Reading {
  /// Reads what follows an option.
  ///
  /// - Throws: `ValidationError`, which the parser puts behind the option's name.
  func argument(_ text: String) throws -> Value {
    guard let value = read(text) else { throw ValidationError("it takes \(takes)\(example)") }
    return value
  }
}
