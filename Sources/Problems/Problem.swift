/// An error that says what is wrong, and what to do, to whoever asked: people or programs.
///
/// Every error that can reach a user conforms. What it means for an exit code or an HTTP status
/// follows from its code alone. Errors that one function throws for another to catch need not.
public protocol Problem: Error, Sendable, CustomStringConvertible {
  /// What it says.
  var stated: StatedProblem { get }
}

extension Problem {
  /// Its stable name, and what sort it is.
  public var code: ProblemCode { stated.code }

  /// As PostgreSQL's own programs print it: the headline, `detail:` lines, and a `hint:`.
  public var description: String { stated.text }
}

extension Error {
  /// What any error says; one that nobody foresaw is a failure of ours, with the code `internal`.
  public var stated: StatedProblem {
    (self as? any Problem)?.stated
      ?? StatedProblem(ProblemCode("internal", .failed), "\(self)")
  }
}

/// What a problem says; thrown itself where no program tells it from others by its type.
public struct StatedProblem: Problem, Hashable {
  /// Its stable name, and what sort it is.
  public let code: ProblemCode
  /// One line: what is wrong, naming the thing.
  public let message: String
  /// The message as a terminal or a log has it, with what else identifies it: a statement's name.
  public let headline: String
  /// More about it, a line each; the last may be a text with lines of its own.
  public let details: [String]
  /// The way out, where there is one.
  public let remedy: Remedy?
  /// The five characters by which PostgreSQL classifies it, where the database said so.
  public let sqlState: String?

  /// A problem with these words, in which the ends of lines are written out: what was stored,
  /// typed or sent by somebody else begins no line of a message.
  ///
  /// - Parameters:
  ///   - message: One line, lowercase, without a full stop and without a command.
  ///   - headline: nil: the message.
  ///   - quoted: A last detail with lines of its own, as somebody was told them before; they are
  ///     set in.
  public init(
    _ code: ProblemCode, _ message: String, headline: String? = nil, details: [String] = [],
    quoting quoted: String? = nil, remedy: Remedy? = nil, sqlState: String? = nil
  ) {
    self.code = code
    self.message = message.onOneLine
    self.headline = (headline ?? message).onOneLine
    self.details = details.map(\.onOneLine) + (quoted.map { [$0] } ?? [])
    self.remedy = remedy
    self.sqlState = sqlState
  }

  /// Itself.
  public var stated: StatedProblem { self }

  /// The headline, the details, and the way out.
  fileprivate var text: String {
    var lines = [headline]
    for detail in details { lines += ("detail: " + detail).setIn }
    if let remedy { lines.append("hint: " + remedy.text) }
    return lines.joined(separator: "\n")
  }
}
