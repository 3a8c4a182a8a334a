public import Problems

/// Why the private cluster cannot be used.
///
/// Whichever it is, the machine has to be set up differently: the books themselves were not asked.
public struct ClusterError: Problem {
  /// What kind of trouble it is.
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
    /// A process may be the cluster's server or not, and it cannot be told which.
    case inDoubt
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
  public let remedy: Remedy?

  init(_ kind: Kind, _ message: String, detail: String? = nil, remedy: Remedy? = nil) {
    self.kind = kind
    self.message = message
    self.detail = detail
    self.remedy = remedy
  }

  /// The message, what another program said, and what to do.
  public var stated: StatedProblem {
    StatedProblem(meaning, message, quoting: detail?.isEmpty == true ? nil : detail, remedy: remedy)
  }

  private var meaning: ProblemCode {
    switch kind {
    case .notInstalled: ProblemCode("postgresql_missing", .configuration)
    case .folder: ProblemCode("cluster_folder", .configuration)
    case .versionMismatch: ProblemCode("cluster_version", .configuration)
    case .noUnprivilegedUser: ProblemCode("server_user_missing", .configuration)
    case .busy: ProblemCode("cluster_busy", .configuration)
    case .inDoubt: ProblemCode("cluster_in_doubt", .configuration)
    case .failed: ProblemCode("cluster_failed", .configuration)
    }
  }
}
