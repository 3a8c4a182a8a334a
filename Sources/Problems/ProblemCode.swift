/// The stable name of a problem, by which a program tells it from others, and what sort it is.
///
/// Codes stand beside the errors that they name, each in one place; `docs/errors.md` has them all.
/// A code keeps its meaning for ever. One that is split becomes two new ones.
public struct ProblemCode: Hashable, Sendable {
  /// In snake case, such as `range_locked`.
  public let name: String
  /// What sort of problem it names.
  public let kind: ProblemKind

  /// A code; the name has to be documented.
  public init(_ name: String, _ kind: ProblemKind) {
    self.name = name
    self.kind = kind
  }
}

/// What sort of problem it is: the one table from problems to exit codes and HTTP status.
public enum ProblemKind: String, CaseIterable, Sendable {
  /// What was asked for is so already.
  case nothingToDo = "nothing to do"
  /// The books do not allow it as they stand, or allowed it in part.
  case refused
  /// The date that was asked for is not closed, or not yet.
  case notClosed = "not closed"
  /// It would change what was reported.
  case locked
  /// It was tried and failed, and nobody who asked is at fault.
  case failed
  /// It was asked for in a way that is not understood.
  case usage
  /// A file, a row or a value is wrong.
  case badInput = "bad input"
  /// Something that was named is not there.
  case notFound = "not found"
  /// The database is out of reach, or may only be read.
  case unreachable
  /// Somebody else is at it, or has claims paused: later it may do.
  case busy
  /// The machine, the database or a right has to be set up differently.
  case configuration
  /// The schema is older or newer than this program, or is not its own.
  case schema
  /// A signal stopped it.
  case interrupted

  /// What the shell gets.
  public var exitCode: Int32 {
    switch self {
    case .nothingToDo: 0
    case .refused, .notClosed, .locked: 1
    case .failed: 2
    case .usage: 64
    case .badInput, .notFound: 65
    case .unreachable: 69
    case .busy: 75
    case .configuration, .schema: 78
    case .interrupted: 130
    }
  }

  /// What an HTTP client gets.
  public var httpStatus: Int {
    switch self {
    case .nothingToDo: 200
    case .refused, .busy: 409
    case .locked: 423
    case .failed, .configuration: 500
    case .usage: 400
    case .badInput: 422
    case .notFound, .notClosed: 404
    case .unreachable, .schema: 503
    case .interrupted: 499
    }
  }
}
