import Glibc
import Problems

/// The making of a new cluster, beside its place, so that a first use that was cut short leaves
/// nothing that looks like one.
///
/// A draft is called `data.new-` and a number that no other has: an initdb that outlived a killed
/// starter goes on writing to its own, and clears up after itself. Whoever makes one holds the
/// cluster's lock, so that every other draft is a dead process's.
extension PrivateCluster {
  private static let draftPrefix = "data.new-"

  /// Makes the cluster and moves it to its place complete; one that failed leaves nothing at all.
  func initialize(owner: Owner, binaries: PostgresBinaries) async throws {
    try createOwnedFolder(rootFolder, owner: owner)
    let draft = "\(rootFolder)/\(Self.draftPrefix)\(UInt64.random(in: 1...UInt64.max))"
    do {
      try await make(draft, owner: owner, binaries: binaries)
      try owner.acting {
        guard rename(draft, clusterFolder) == 0 else {
          throw ClusterError(.folder, "cannot rename \(draft): \(errorText(errno))")
        }
      }
    } catch {
      // On a full disk it would take the room that was meant for it.
      try? owner.acting { removeTree(draft) }
      throw error
    }
  }

  /// Removes what first uses that were killed have left; the caller holds the cluster's lock.
  func removeDrafts(owner: Owner) throws {
    guard exists(rootFolder) else { return }
    try owner.acting {
      for name in entries(of: rootFolder) where isDraft(name) {
        removeTree(subpath(name, of: rootFolder))
      }
    }
  }

  /// Whether it is a draft of ours, and not somebody's copy of a cluster: that has had a server.
  private func isDraft(_ name: String) -> Bool {
    let number = name.dropFirst(Self.draftPrefix.count)
    return name.hasPrefix(Self.draftPrefix) && !number.isEmpty
      && number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      && !exists(subpath(name, of: rootFolder) + "/postmaster.opts")
  }

  private func make(_ draft: String, owner: Owner, binaries: PostgresBinaries) async throws {
    var arguments = ["-D", draft, "-U", Self.name, "--encoding=UTF8", "--locale=C"]
    arguments += ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
    arguments += settings.isDurable ? ["--data-checksums"] : ["--no-sync"]
    let made = try await binaries.run("initdb", arguments, as: owner)
    let isThere = try owner.acting { exists(draft + "/PG_VERSION") }
    guard made.succeeded, isThere else {
      throw ClusterError(
        .failed, "the private PostgreSQL cluster could not be made in \(rootFolder)",
        detail: made.message)
    }
    try owner.acting { try append(settings.configuration, to: draft + "/postgresql.conf") }
    if let database = settings.database {
      try await make(database: database, in: draft, owner: owner, binaries: binaries)
    }
  }

  /// Makes the database, and looks in another session whether it is there: a program can end well
  /// that has not read a word.
  private func make(
    database: String, in draft: String, owner: Owner, binaries: PostgresBinaries
  ) async throws {
    func say(_ words: String) async throws -> PostgresBinaries.Outcome {
      let session = ["--single", "-D", draft, "-c", "exit_on_error=on", "postgres"]
      return try await binaries.run("postgres", session, as: owner, input: words + "\n")
    }
    let made = try await say(
      "create database \(database)\nrevoke connect on database \(database) from public")
    // What it answers does not stand in the question, lest an echo be taken for an answer.
    let seen = try await say(
      """
      select upper('made by ') || rolname || ': ' || datname from pg_database join pg_roles \
      on rolname = current_user and rolsuper where datname = '\(database)' \
      and not has_database_privilege('public', pg_database.oid, 'connect')
      """)
    guard made.succeeded, seen.succeeded,
      seen.output.contains("\"MADE BY \(Self.name): \(database)\"")
    else {
      let detail = made.message.isEmpty ? seen.message : made.message
      throw ClusterError(
        .failed, "the database \(database) could not be made", detail: detail)
    }
  }

  private func createOwnedFolder(_ path: String, owner: Owner) throws {
    if !createFolder(path, mode: 0o700), errno != EEXIST {
      throw ClusterError(
        .folder, "cannot create the folder \(path): \(errorText(errno))",
        remedy: "choose a folder you may write to with \(.setting(.home))")
    }
    if geteuid() == 0, lchown(path, owner.userID, owner.groupID) != 0 {
      throw ClusterError(.folder, "cannot give \(path) to \(owner.name): \(errorText(errno))")
    }
  }
}
