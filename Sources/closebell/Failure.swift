import ArgumentParser
import Close
import Glibc
import Import
import Operations
import Postgres
import Text
import PrivateCluster
import Sequences
import Storage
import Synchronization

/// A message for the operator and the exit code that scripts see.
struct Failure: Error {
  var message: String
  var code: Int32

  init(_ message: String, code: Int32) {
    self.message = message
    self.code = code
  }

  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let code as ExitCode: self.init("", code: code.rawValue)
    case let error as PostgresError:
      self.init(error.description + Self.wayOut(of: error), code: Self.code(of: error))
    case let error as TransactionError:
      self.init(
        error.description + Self.wayOut(of: error.cause), code: Self.code(of: error.cause))
    case let error as SchemaError: self.init(error.description, code: 78)
    case let error as AlteredTable: self.init(error.description, code: 78)
    case let error as NotClosed: self.init(error.description, code: 1)
    case let error as DateInFuture: self.init(error.description, code: 64)
    case let error as MonthNotOver: self.init(error.description, code: 64)
    case let error as RunAtWork: self.init(error.description, code: 75)
    case let error as UnknownPortfolios: self.init(error.description, code: 65)
    case let error as LockedRange: self.init(error.description, code: 1)
    case let error as LockRefused: self.init(error.description, code: 1)
    case let error as LockBusy: self.init(error.description, code: 75)
    case let error as ImportError:
      self.init(error.description, code: error.isInterruption ? 130 : 65)
    case let error as ImportJobError: self.init(error.description, code: Self.code(of: error))
    case let error as ClusterError: self.init(error.description, code: 78)
    case let error as RepairError: self.init(error.description, code: error.exitCode)
    case let error as LegacyTableError: self.init(error.description, code: error.exitCode)
    case let error as SequenceError: self.init(error.description, code: error.exitCode)
    case let error as StorageError: self.init(error.description, code: 2)
    case let error as LeaseEnded: self.init(error.description, code: 2)
    case let error as LeaseGone: self.init(error.description, code: 2)
    case let error as ServerChanged: self.init(error.description, code: 69)
    case let error as LockHeld: self.init(error.description, code: 75)
    default:
      // What the parser says: help and version are successes, the rest is usage. Of an error that
      // is not its own it knows nothing: that one is ours, and the command has failed.
      let code = Closebell.exitCode(for: error)
      guard code != .failure else {
        self.init("\(error)", code: 2)
        return
      }
      self.init(Self.words(of: error), code: code.rawValue)
      isFromParser = true
    }
  }

  private var isFromParser = false

  /// What the parser says, as the rest of the program says it: with `error:`, and without a
  /// connection string that stood where it does not belong.
  private static func words(of error: any Error) -> String {
    var text = Closebell.fullMessage(for: error)
    if text.hasPrefix("Error: ") { text = "error: " + text.dropFirst("Error: ".count) }
    let secrets = CommandLine.arguments.dropFirst().filter {
      $0.contains("://") || $0.lowercased().contains("password=")
    }
    return secrets.reduce(text) { $0.replacing($1, with: "…") }
  }

  private static func code(of error: ImportJobError) -> Int32 {
    switch error {
    case .busy, .takenOver: 75
    case .completed: 0
    case .unknown, .notResumable: 65
    }
  }

  private static func code(of error: PostgresError) -> Int32 {
    if error.isReadOnlyServer { return 69 }
    if error.isRefusedToRole { return 78 }
    if isLockedOut(error) { return 75 }
    switch error.kind {
    case .connectFailed: return error.isMisconfigured ? 78 : 69
    case .connectionLost: return 69
    default: return 2
    }
  }

  /// Whether somebody held a row or a table for longer than one waits.
  private static func isLockedOut(_ error: PostgresError) -> Bool {
    error.kind == .server && error.sqlState == "55P03"
  }

  /// What helps, where the server does not say.
  private static func wayOut(of error: PostgresError) -> String {
    guard isLockedOut(error), error.hint == nil else { return "" }
    return """

      hint: another session holds it for longer than \(Variables.lockTimeout.name): try again when \
      that is done; pg_locks and pg_stat_activity tell which it is
      """
  }

  /// Prints the message where it belongs and returns the code.
  func report() -> Int32 {
    guard !message.isEmpty else { return code }
    if isFromParser, code == 0 {
      StandardOutput.data(message + "\n")
    } else if isFromParser, Terminal.format == .text {
      Terminal.draw(Typed.onOneLine(message).shownLines + "\n")
    } else if isFromParser {
      Terminal.complain(message)
    } else {
      let text = message.hasPrefix("error: ") ? message : "error: \(message)"
      Terminal.complain(text)
    }
    return code
  }
}

/// Warnings that hold for every connection of a process, told with the first.
enum Warnings {
  private static let told = Mutex<Set<String>>([])

  static func once(_ warning: String, hint: String?) {
    guard told.withLock({ $0.insert(warning).inserted }) else { return }
    Terminal.complain(warning + (hint.map { "\nhint: \($0)" } ?? ""))
  }
}

/// Where people and programs read.
enum Terminal {
  private static let chosen = Mutex(LogFormat.text)

  /// How messages look; set before the first one.
  static var format: LogFormat {
    get { chosen.withLock { $0 } }
    set { chosen.withLock { $0 = newValue } }
  }

  /// Writes a message to standard error, `level: text` with further lines such as `hint: …`.
  ///
  /// What a terminal would obey is written out: much of what is complained about was typed, stored
  /// or sent by somebody else.
  static func complain(_ message: String) {
    let message = Typed.onOneLine(message)
    switch format {
    case .text: draw(Message.text(message) + "\n")
    case .json: draw(LogLine(message).json(at: Clock.timestamp) + "\n")
    }
  }

  /// Writes a text to standard error as it is.
  static func draw(_ text: String) {
    // Where it fails nobody is there to be told that nobody listens.
    _ = writeAll(Array(text.utf8)[...], to: STDERR_FILENO)
  }

  /// Whether standard error is a terminal that may be drawn on.
  static var isInteractive: Bool {
    guard format == .text, isatty(STDERR_FILENO) == 1, getenv("NO_COLOR") == nil else {
      return false
    }
    return getenv("TERM").map { String(cString: $0) } != "dumb"
  }
}
