public import Accounting
public import ArgumentParser
import Glibc
import Postgres
import PrivateCluster
import Presentation

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
  }

  /// How to connect: an option wins over the environment, which wins over the private cluster.
  ///
  /// - Parameter onlyReads: Whether a server that may only be read will do, such as a standby.
  func configuration(
    for purpose: String, onlyReads: Bool = false
  ) async throws -> Configuration {
    let conninfo = try await conninfo()
    var configuration = Configuration(
      conninfo: conninfo, applicationName: "closebell/\(purpose)",
      connectTimeoutSeconds: Environment.integer("CONNECT_TIMEOUT") ?? 10,
      statementTimeoutMilliseconds: (Environment.integer("STATEMENT_TIMEOUT") ?? 0) * 1_000,
      lockTimeoutMilliseconds: (Environment.integer("LOCK_TIMEOUT") ?? 30) * 1_000)
    configuration.mayBeReadOnly = onlyReads
    if verbose {
      configuration.onNotice = { notice in
        Terminal.complain("\(notice.severity.lowercased()): \(notice.message)")
      }
    }
    return configuration
  }

  private func conninfo() async throws -> String {
    if let database { return database }
    if let url = Environment.string("DATABASE_URL") { return url }
    let standard = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"]
    if standard.contains(where: { Environment.variable($0) != nil }) { return "" }
    return try await Self.privateCluster.start()
  }

  /// The cluster that is used when no database is named.
  static var privateCluster: PrivateCluster {
    let names = ["CLOSEBELL_HOME", "XDG_DATA_HOME", "HOME"]
    let environment = Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        Environment.variable(name).map { (name, $0) }
      })
    return PrivateCluster(
      dataFolder: PrivateCluster.defaultDataFolder(environment: environment))
  }

  /// A connection for one command.
  func connect(for purpose: String, onlyReads: Bool = false) async throws -> Connection {
    try await Connection.connect(configuration(for: purpose, onlyReads: onlyReads))
  }
}

/// Settings by environment; each has the prefix `CLOSEBELL_`.
enum Environment {
  /// A variable that is set and not empty.
  static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// The setting `CLOSEBELL_name`.
  static func string(_ name: String) -> String? { variable("CLOSEBELL_" + name) }

  /// The setting `CLOSEBELL_name` as a whole number.
  static func integer(_ name: String) -> Int? { string(name).flatMap { Int($0) } }

  /// The setting `CLOSEBELL_name` as a number.
  static func number(_ name: String) -> Double? { string(name).flatMap { Double($0) } }
}

extension Day: ExpressibleByArgument {
  /// Reads `YYYY-MM-DD`.
  public init?(argument: String) { self.init(argument) }
}

/// How old a close may be, in business days.
struct CarriedDays: ExpressibleByArgument {
  var policy: ClosePolicy

  init?(argument: String) {
    guard let days = Int(argument), ClosePolicy.carriedBusinessDays.contains(days) else {
      return nil
    }
    policy = ClosePolicy(maxCarriedBusinessDays: days)
  }
}

/// A length of time: `90`, `90s`, `15m`, `2h`.
struct Span: ExpressibleByArgument {
  var seconds: Double

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    if let last = argument.last, let unit = units[last] {
      guard let number = Double(argument.dropLast()), number >= 0 else { return nil }
      seconds = number * unit
    } else {
      guard let number = Double(argument), number >= 0 else { return nil }
      seconds = number
    }
  }
}
