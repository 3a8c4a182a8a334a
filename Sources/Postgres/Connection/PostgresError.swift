public import Problems

/// Why the server, the connection to it, or the use of either failed.
///
/// The fields are the server's own where it said something. A `description` never contains a
/// bound value or a password; the server's `detail` may quote the key that clashed, because
/// without it an operator cannot tell which row was meant.
public struct PostgresError: Problem, Hashable {
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
    /// A stored value is none that can be kept, such as a numeric that is `NaN`.
    case unreadable
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
    case .cancelled, .decoding, .unreadable, .unexpectedAnswer, .usage: return false
    case .connectFailed, .server: break
    }
    guard let sqlState else { return kind == .connectFailed && !reachedServer }
    return SQLState.passing.contains(sqlState) || sqlState.hasPrefix("08")
  }

  /// What helps where a server may only be read.
  static let wayToWrite = """
    connect to the primary server, or list it too (host=a,b); if this is the primary, look at \
    default_transaction_read_only
    """

  /// Whether the server may only be read, as a standby.
  public var isReadOnlyServer: Bool {
    sqlState == SQLState.readOnlyTransaction
      || sqlState == SQLState.featureNotSupported && message.contains("during recovery")
      || hint == Self.wayToWrite
  }

  /// What helps where a policy would take rows away.
  static let wayAroundPolicies = """
    the books are right with all rows only: connect as a role with bypassrls or as the owner of \
    the tables, or drop the policy
    """

  /// Whether the server refused because a policy of the table would take rows away.
  public var isRowSecurity: Bool { isRefusedToRole && message.contains("row-level security") }

  /// Whether a connection was refused for how it was asked for, so that asking again is of no use.
  ///
  /// For who we are, for a database that there is not, for a setting that libpq or the server does
  /// not take.
  public var isMisconfigured: Bool {
    guard kind == .connectFailed, let sqlState else { return false }
    return ["28", "3D", "F0", "22", "42"].contains { sqlState.hasPrefix($0) }
  }

  /// Whether our role may not do what was asked of it.
  public var isRefusedToRole: Bool { sqlState == SQLState.insufficientPrivilege }

  /// Whether the failure is the violation of the constraint of this name.
  public func violates(_ name: String) -> Bool {
    constraint == name && sqlState?.hasPrefix("23") == true
  }

  /// Whether a row with the same key is there already.
  public var isUniqueViolation: Bool { sqlState == SQLState.uniqueViolation }

  /// Whether somebody else held a lock for longer than one waits.
  public var waitedTooLongForLock: Bool { sqlState == SQLState.lockNotAvailable }
}

extension PostgresError {
  /// As PostgreSQL's own programs print it: `error:`, the statement's name, the message, the code;
  /// then what the server, or libpq, says and advises.
  public var stated: StatedProblem {
    var headline = "error: "
    if let statementName, !statementName.isEmpty { headline += "\(statementName): " }
    headline += message
    if let sqlState { headline += " (SQLSTATE \(sqlState))" }
    return StatedProblem(
      meaning, message, headline: headline, details: detail.map { [$0] } ?? [],
      remedy: hint.map { Remedy(prose: $0) } ?? wayOut, sqlState: sqlState)
  }

  /// What the failure means for whoever asked, whatever the statement was.
  private var meaning: ProblemCode {
    if isReadOnlyServer { return ProblemCode("server_read_only", .unreachable) }
    if isRowSecurity { return ProblemCode("rows_hidden", .configuration) }
    if isRefusedToRole { return ProblemCode("permission_denied", .configuration) }
    switch kind {
    case .connectFailed:
      return isMisconfigured
        ? ProblemCode("connection_misconfigured", .configuration)
        : ProblemCode("server_unreachable", .unreachable)
    case .connectionLost: return ProblemCode("connection_lost", .unreachable)
    case .timeout: return ProblemCode("statement_timeout", .failed)
    case .cancelled: return ProblemCode("statement_cancelled", .failed)
    case .unreadable: return CodecError.unreadable
    case .decoding, .unexpectedAnswer: return ProblemCode("unexpected_answer", .failed)
    case .usage: return ProblemCode("client_misused", .failed)
    case .server: return codeOfServer
    }
  }

  private var codeOfServer: ProblemCode {
    switch sqlState {
    case SQLState.lockNotAvailable: ProblemCode("lock_timeout", .busy)
    case SQLState.sequenceLimitExceeded: ProblemCode("sequence_exhausted", .failed)
    case SQLState.diskFull: ProblemCode("disk_full", .failed)
    default: ProblemCode("statement_failed", .failed)
    }
  }

  /// What helps, where the server does not say.
  private var wayOut: Remedy? {
    guard kind == .server else { return nil }
    if waitedTooLongForLock {
      return """
        another session holds it for longer than \(.setting(.lockTimeout)): try again when that is \
        done; pg_locks and pg_stat_activity tell which it is
        """
    }
    if sqlState == SQLState.cardinalityViolation {
      return "a row stands twice that a key keeps apart: look whether somebody dropped one"
    }
    if sqlState == SQLState.sequenceLimitExceeded {
      return """
        its range is used up: \(.checkSequences) tells what is taken of it; set it back to that \
        with setval, or widen it
        """
    }
    return nil
  }
}

/// Beginning, committing or rolling back a transaction failed.
///
/// An error of the transaction's body is thrown as it is, unless rolling back failed as well.
public struct TransactionError: Problem {
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

  /// What its cause says, then the failed step, then the error of the body.
  public var stated: StatedProblem {
    let cause = cause.stated
    var details = cause.details
    details.append(
      "this happened in the \(step.rawValue) of a transaction"
        + (commitOutcomeUnknown ? "; whether it was committed is not known" : ""))
    return StatedProblem(
      cause.code, cause.message, headline: cause.headline, details: details,
      quoting: bodyError.map { "its body had failed before with: \($0)" }, remedy: cause.remedy,
      sqlState: cause.sqlState)
  }
}

/// Why bytes from the server are not a value of the type asked for.
public enum CodecError: Problem, Hashable {
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

  /// A stored or sent value that this program cannot take.
  public var stated: StatedProblem { StatedProblem(Self.unreadable, reason) }

  static let unreadable = ProblemCode("unreadable_value", .failed)

  /// Whether the bytes are a value of their type, and only none that can be kept.
  var isOfValue: Bool {
    switch self {
    case .wrongLength, .malformed: false
    case .notANumber, .infinite, .tooManyDecimals, .outOfRange: true
    }
  }

  /// The reason as an operator reads it.
  public var reason: String {
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
