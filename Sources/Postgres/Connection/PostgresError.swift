/// Why the server, the connection to it, or the use of either failed.
///
/// The fields are the server's own where it said something. A `description` never contains a
/// bound value or a password; the server's `detail` may quote the key that clashed, because
/// without it an operator cannot tell which row was meant.
public struct PostgresError: Error, Hashable, Sendable {
  /// What sort of failure it is.
  public enum Kind: String, Hashable, Sendable {
    /// No connection could be made.
    case connectFailed
    /// The connection broke, or had broken before.
    case connectionLost
    /// The server refused the statement; the connection lives on.
    case server
    /// Our own limit of time passed: a deadline, or the session's statement time-out.
    case timeout
    /// The task was cancelled, or `cancel()` was called.
    case cancelled
    /// A value could not be read as the type asked for.
    case decoding
    /// The server answered with something that the call cannot have asked for.
    case unexpectedAnswer
    /// The client was used against its rules; a mistake of the program.
    case usage
  }

  /// What sort of failure it is.
  public var kind: Kind
  /// The five characters by which PostgreSQL classifies the failure, where it did.
  ///
  /// Failures to connect carry no code through libpq; there it is inferred from the text of the
  /// commonest ones, and `nil` for all others.
  public var sqlState: String?
  /// The server's severity, untranslated: `ERROR`, `FATAL` or `PANIC`.
  public var severity: String?
  /// One line: what went wrong.
  public var message: String
  /// More about it.
  public var detail: String?
  /// What might help.
  public var hint: String?
  /// The name of the constraint that was violated.
  public var constraint: String?
  /// The schema of the object that the failure is about.
  public var schema: String?
  /// The table that the failure is about.
  public var table: String?
  /// The column that the failure is about.
  public var column: String?
  /// Where in the statement's text the failure lies: the number of the character, from 1.
  public var position: Int?
  /// The name of the statement (never its bound values).
  public var statementName: String?
  /// Whether anything of this call may have reached the server.
  ///
  /// `false` is a promise: the call changed nothing and may be repeated. `true` is caution.
  public var reachedServer: Bool
  /// Whether the connection is gone, so that its transaction is over too.
  public var connectionIsLost: Bool

  /// An error of the given kind; everything not given is unknown.
  public init(
    _ kind: Kind, _ message: String, detail: String? = nil, hint: String? = nil,
    sqlState: String? = nil, statementName: String? = nil, reachedServer: Bool = false,
    connectionIsLost: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.detail = detail
    self.hint = hint
    self.sqlState = sqlState
    self.statementName = statementName
    self.reachedServer = reachedServer
    self.connectionIsLost = connectionIsLost
  }
}

extension PostgresError {
  /// Whether the cause is passing, so that the same work may succeed on a later attempt.
  ///
  /// True for serialization failures, deadlocks, lock time-outs, shut-downs, too many
  /// connections, lost connections and our own time-outs. It does not say that repeating is
  /// *safe*: for work outside a transaction look at `reachedServer`, and for a commit at
  /// ``TransactionError/commitOutcomeUnknown``.
  public var mayRetry: Bool {
    switch kind {
    case .timeout, .connectionLost: return true
    case .cancelled, .decoding, .unexpectedAnswer, .usage: return false
    case .connectFailed, .server: break
    }
    guard let sqlState else { return kind == .connectFailed && !reachedServer }
    return Self.passing.contains(sqlState) || sqlState.hasPrefix("08")
  }

  /// Serialization failure, deadlock, lock not available; shut-down, crash, starting up, idle
  /// time-outs; too many connections, out of memory, disk full excepted on purpose.
  private static let passing: Set<String> = [
    "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "53300",
  ]

  /// What helps where a server may only be read.
  static let wayToWrite = """
    connect to the primary server, or list it too (host=a,b); if this is the primary, look at \
    default_transaction_read_only
    """

  /// Whether the server may only be read, as a standby.
  public var isReadOnlyServer: Bool {
    sqlState == "25006" || sqlState == "0A000" && message.contains("during recovery")
      || hint == Self.wayToWrite
  }

  /// What helps where a policy would take rows away.
  static let wayAroundPolicies = """
    the books are right with all rows only: connect as a role with bypassrls or as the owner of \
    the tables, or drop the policy
    """

  /// Whether the server refused because a policy of the table would take rows away.
  public var isRowSecurity: Bool { sqlState == "42501" && message.contains("row-level security") }

  /// Whether a connection was refused for how it was asked for, so that asking again is of no use.
  ///
  /// For who we are, for a database that there is not, for a setting that libpq or the server does
  /// not take.
  public var isMisconfigured: Bool {
    guard kind == .connectFailed, let sqlState else { return false }
    return ["28", "3D", "F0", "22", "42"].contains { sqlState.hasPrefix($0) }
  }

  /// Whether our role may not do what was asked of it.
  public var isRefusedToRole: Bool { sqlState == "42501" }

  /// Whether the failure is the violation of the constraint of this name.
  public func violates(_ name: String) -> Bool {
    constraint == name && sqlState?.hasPrefix("23") == true
  }
}

extension PostgresError: CustomStringConvertible {
  /// The error as PostgreSQL's own programs print it: `error:`, then `detail:` and `hint:`.
  public var description: String {
    var text = "error: "
    if let statementName, !statementName.isEmpty { text += "\(statementName): " }
    text += message.onOneLine
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    if let detail { text += "\ndetail: \(detail.onOneLine)" }
    if let hint { text += "\nhint: \(hint.onOneLine)" }
    return text
  }
}

/// Beginning, committing or rolling back a transaction failed.
///
/// An error of the transaction's body is thrown as it is, unless rolling back failed as well.
public struct TransactionError: Error, Sendable, CustomStringConvertible {
  /// The step that failed.
  public enum Step: String, Sendable {
    /// The transaction never began.
    case begin
    /// The body was done, the commit failed.
    case commit
    /// The body failed, and so did rolling back.
    case rollback
  }

  /// The step that failed.
  public var step: Step
  /// Why it failed.
  public var cause: PostgresError
  /// What the body had thrown, if it had.
  public var bodyError: (any Error)?
  /// Whether the commit may have happened: it was sent, and no answer came.
  ///
  /// Then only a look at the tables tells; do not repeat the work blindly.
  public var commitOutcomeUnknown: Bool

  /// Whether the whole transaction may simply be done again.
  public var mayRetry: Bool { cause.mayRetry && !commitOutcomeUnknown }

  /// The failed step, then its cause, then the error of the body.
  public var description: String {
    var text = cause.description
    text += "\ndetail: this happened in the \(step.rawValue) of a transaction"
    if commitOutcomeUnknown {
      text += "; whether it was committed is not known"
    }
    if let bodyError { text += "\ndetail: its body had failed before with: \(bodyError)" }
    return text
  }
}

/// Why bytes from the server are not a value of the type asked for.
public enum CodecError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The field has another length than the type.
  case wrongLength(expected: Int, actual: Int)
  /// The bytes break the rules of the type's format.
  case malformed(String)
  /// A numeric that is `NaN`.
  case notANumber
  /// A numeric that is infinite.
  case infinite
  /// A numeric with more decimal places than the reader keeps; nothing is rounded.
  case tooManyDecimals(limit: Int)
  /// The number does not fit the type.
  case outOfRange

  /// The reason as an operator reads it.
  public var description: String {
    switch self {
    case .wrongLength(let expected, let actual): "\(actual) bytes where \(expected) are due"
    case .malformed(let what): what
    case .notANumber: "NaN is not a number that can be kept"
    case .infinite: "an infinite number cannot be kept"
    case .tooManyDecimals(let limit): "more than \(limit) decimal places"
    case .outOfRange: "out of range"
    }
  }
}

/// A message of the server that is no error: a notice, a warning, or a log line.
public struct Notice: Hashable, Sendable {
  /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`.
  public var severity: String
  /// The five characters by which PostgreSQL classifies the message.
  public var sqlState: String?
  /// One line: what it is about.
  public var message: String
  /// More about it.
  public var detail: String?
  /// What might help.
  public var hint: String?
}
