package import Postgres
package import Problems

/// How an import is watched, stopped, and kept alive.
package struct ImportControl: Sendable {
  /// Makes a new connection where the first one is lost; without it such a loss ends the import.
  package var reconnect: (@Sendable () async throws -> Connection)?
  /// Asked before each chunk: whether to stop here, to be resumed later.
  package var shouldStop: @Sendable () -> Bool
  /// Called with the number of the import when it is its owner's.
  package var began: (@Sendable (Int64) -> Void)?
  /// Called after each chunk.
  package var progress: (@Sendable (ImportProgress) -> Void)?
  /// After so many seconds it stops before the next chunk; nil for no limit.
  package var timeoutSeconds: Double?
  /// Who is at it, for others to read: host and process.
  package var claimant: String
  /// How long after its last chunk an import whose process hangs may be taken over.
  ///
  /// A process that dies is seen at once: its connection holds a lock. So this is long.
  package var leaseSeconds: Double
  /// Roles whose requests are taken, beside one's own and those of the owner of the tables.
  package var trustedRoles: [String]

  /// A control; the defaults never stop and never reconnect.
  package init(
    reconnect: (@Sendable () async throws -> Connection)? = nil,
    shouldStop: @escaping @Sendable () -> Bool = { false },
    began: (@Sendable (Int64) -> Void)? = nil,
    progress: (@Sendable (ImportProgress) -> Void)? = nil, timeoutSeconds: Double? = nil,
    claimant: String = "", leaseSeconds: Double = 600, trustedRoles: [String] = []
  ) {
    self.reconnect = reconnect
    self.shouldStop = shouldStop
    self.began = began
    self.progress = progress
    self.timeoutSeconds = timeoutSeconds
    self.claimant = claimant
    self.leaseSeconds = leaseSeconds
    self.trustedRoles = trustedRoles
  }
}

/// Why an import cannot be taken up.
package enum ImportJobError: Problem, Hashable {
  /// There is no import of this number.
  case unknown(Int64)
  /// Another process is at it.
  case busy(Int64, by: String)
  /// It is done.
  case completed(Int64)
  /// It stopped at a refused row, or its source was no file.
  case notResumable(Int64, reason: String, remedy: Remedy)
  /// Somebody asked for it whose requests are not taken here; nil: nobody knows who.
  case ofOthers(Int64, role: String?)
  /// Another process took it over while this one was at it.
  case takenOver(Int64)

  /// The reason, and the way out.
  package var stated: StatedProblem {
    switch self {
    case .unknown(let id):
      StatedProblem(
        ProblemCode("import_not_found", .notFound), "there is no import \(id)",
        remedy: Remedy(.imports))
    case .busy(let id, let who):
      StatedProblem(
        ProblemCode("import_busy", .busy),
        "import \(id) is under way\(who.isEmpty ? "" : ", by \(who)")",
        remedy: "watch it: \(.showImport(id)); stop it: \(.cancelImport(id))")
    case .completed(let id):
      StatedProblem(
        ProblemCode("import_completed", .nothingToDo),
        "import \(id) is completed: there is nothing to resume")
    case .notResumable(let id, let reason, let remedy):
      StatedProblem(
        ProblemCode("import_not_resumable", .badInput),
        "import \(id) cannot be resumed: \(reason)", remedy: remedy)
    case .ofOthers(let id, let role): Self.ofOthers(id, role)
    case .takenOver(let id):
      StatedProblem(
        ProblemCode("import_taken_over", .busy),
        "import \(id) was taken over by another process; nothing more was written by this one",
        remedy: Remedy(.showImport(id)))
    }
  }

  private static func ofOthers(_ id: Int64, _ role: String?) -> StatedProblem {
    let (problem, remedy): (String, Remedy) =
      if let role {
        (
          "import \(id) was asked for by role \(role), which does not own the tables",
          "look at it: \(.showImport(id)); if it is meant: \(.resumeImportOf(id, role: role))"
        )
      } else {
        (
          "nobody knows who asked for import \(id): it is from before that was kept",
          "import its file anew; rows that are stored already change nothing"
        )
      }
    return StatedProblem(
      ProblemCode("import_of_others", .configuration), problem, remedy: remedy)
  }
}
