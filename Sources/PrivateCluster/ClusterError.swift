/// Why the private cluster cannot be used.
///
/// `description` reads like PostgreSQL's messages: the error, then `detail:` and `hint:` lines.
public struct ClusterError: Error, CustomStringConvertible {
  /// What kind of trouble it is, for a caller that maps it to an exit code.
  public enum Kind: Sendable, Equatable {
    /// No PostgreSQL of a version that serves is on this machine.
    case notInstalled
    /// The folder is out of reach, belongs to somebody else, or cannot be written.
    case folder
    /// The cluster was made by a version of PostgreSQL that is not installed.
    case versionMismatch
    /// Root, and no unprivileged user to run the server as.
    case noUnprivilegedUser
    /// Another process holds the lock, or the server is changing state, for too long.
    case busy
    /// A program of PostgreSQL failed; the detail is its own message.
    case failed
  }

  /// What kind of trouble it is.
  public let kind: Kind
  /// One line, lowercase, without a full stop.
  public let message: String
  /// What another program said about it.
  public let detail: String?
  /// What to do.
  public let hint: String?

  init(_ kind: Kind, _ message: String, detail: String? = nil, hint: String? = nil) {
    self.kind = kind
    self.message = message
    self.detail = detail
    self.hint = hint
  }

  /// The message, and a line each for detail and hint.
  public var description: String {
    var lines = [message]
    if let detail, !detail.isEmpty { lines.append("detail: " + detail) }
    if let hint { lines.append("hint: " + hint) }
    return lines.joined(separator: "\n")
  }
}
