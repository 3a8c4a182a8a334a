public import Postgres
public import Problems

/// The right of a run to write under its claim, for as long as it holds it.
public struct Lease: Sendable, Equatable {
  /// The id that fences every write of the run.
  public let claim: Int64
  /// Drawn by the run, and by nobody else.
  ///
  /// A claim id that is lost with a server may be given out again by the one that follows it; this
  /// number is not.
  public let token: Int64
  /// The server that gave it.
  public let server: ServerIdentity

  /// What a server gave.
  public init(claim: Int64, token: Int64, server: ServerIdentity) {
    (self.claim, self.token, self.server) = (claim, token, server)
  }

  /// A token that nobody else has drawn, or will.
  public static func randomToken() -> Int64 { .random(in: .min ... .max) }
}

/// Which server a session is on.
public struct ServerIdentity: Sendable, Equatable, CustomStringConvertible {
  /// The cluster's, which its copies and standbys have as well; nil where nobody may know.
  public let system: Int64?
  /// Goes up when a standby is promoted; nil on a standby.
  public let timeline: Int32?

  /// A server.
  public init(system: Int64?, timeline: Int32?) {
    (self.system, self.timeline) = (system, timeline)
  }

  /// The server that a session is on.
  public static func read(on db: isolated Connection) throws -> ServerIdentity {
    try db.row(this) {
      ServerIdentity(system: try $0.nextInt64OrNil(), timeline: try $0.nextInt32OrNil())
    } ?? ServerIdentity(system: nil, timeline: nil)
  }

  /// As an operator reads it.
  public var description: String {
    "system \(system.map { String(UInt64(bitPattern: $0)) } ?? "unknown"), timeline "
      + (timeline.map(String.init) ?? "unknown")
  }

  private static let this = Statement.once(
    "server-identity", "select s.system_identifier, s.timeline from closebell.this_server() s")
}

/// A session came back to another server than its run or import began on: a standby was promoted.
public struct ServerChanged: Problem {
  let from: ServerIdentity
  let to: ServerIdentity

  /// From one to another.
  public init(from: ServerIdentity, to: ServerIdentity) { (self.from, self.to) = (from, to) }

  /// From where to where, and what to do.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("server_changed", .unreachable),
      """
      the server is another one than the one that it began on: a standby was promoted, or a copy \
      took its place
      """, details: ["it began on \(from); this is \(to)"],
      remedy: "nothing was written here; start it again (an import: \(.resumeImport(nil)))")
  }
}
