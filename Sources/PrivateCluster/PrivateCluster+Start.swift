import Glibc
import Problems

extension PrivateCluster {
  /// Refuses a data folder into which others could have put a cluster of their own.
  ///
  /// As ssh has it for a home: the folder and those above it belong to root or the caller, and
  /// nobody else may write to them. Above it a sticky folder such as `/tmp` will do, where each
  /// moves only what is theirs.
  func requireFolderOfOurs() throws {
    var path = ""
    for part in ["/"] + dataFolder.split(separator: "/").map({ "/" + $0 }) {
      path = path == "/" ? part : path + part
      var status = stat()
      guard lstat(path, &status) == 0 else { return }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw ClusterError(
          .folder, "\(path) is no folder", remedy: "choose another folder with \(.setting(.home))")
      }
      let isSticky = status.st_mode & S_ISVTX != 0 && path != dataFolder
      guard status.st_uid == 0 || status.st_uid == geteuid() else {
        throw ClusterError(
          .folder, "the folder \(path) belongs to another user, who could put another cluster here",
          remedy: "choose another folder with \(.setting(.home))")
      }
      guard status.st_mode & 0o022 == 0 || isSticky else {
        throw ClusterError(
          .folder,
          "the folder \(path) may be written by others, who could put another cluster here",
          remedy: "chmod go-w \(path), or choose another folder with \(.setting(.home))")
      }
    }
  }

  /// Whether a cluster was made; one that lost a part, or that its owner cannot read, is not none.
  func hasCluster() throws -> Bool {
    // In this order: a new cluster is moved into its place whole.
    guard exists(clusterFolder), !isEmptyFolder(clusterFolder) else { return false }
    if exists(clusterFolder + "/PG_VERSION") { return true }
    throw ClusterError(
      .folder, "the folder \(clusterFolder) is not whole, or not its owner's: no PG_VERSION in it",
      remedy: "restore it from a backup, or move it away to begin with empty books")
  }

  /// Fails with a clear message where the folder exists and is closed to the caller.
  func requireReadableFolder() throws {
    guard access(rootFolder, R_OK | X_OK) != 0, errno == EACCES else { return }
    throw ClusterError(
      .folder, "the folder \(rootFolder) cannot be read: \(errorText(EACCES))",
      remedy: "run as its owner, or choose another folder with \(.setting(.home))")
  }

  /// Refuses what `pg_ctl`, which puts paths between double quotes for the shell, would garble, and
  /// the line breaks by which it would wait for a line of `postmaster.pid` that is never there.
  func requireSpeakablePath() throws {
    guard !dataFolder.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
      throw ClusterError(
        .folder, "the data folder's path has a line break or another control character",
        remedy: "choose another folder with \(.setting(.home))")
    }
    guard dataFolder.unicodeScalars.contains(where: { "\"$`\\".unicodeScalars.contains($0) }) else {
      return
    }
    throw ClusterError(
      .folder, "the data folder's path \(dataFolder) has a quote, dollar, backquote or backslash",
      remedy: "choose another folder with \(.setting(.home))")
  }

  /// The data folder: others may pass through root's, since the server's user must.
  func createHomeFolder() throws {
    try createFolders(dataFolder, mode: geteuid() == 0 ? 0o755 : 0o700)
  }

  /// Makes the cluster beside its place and moves it there complete, so that a first use that was
  /// cut short leaves nothing that looks like a cluster; one that failed leaves nothing at all.
  func initialize(owner: Owner, binaries: PostgresBinaries) async throws {
    try createOwnedFolder(rootFolder, owner: owner)
    // An initdb that outlived a killed starter clears up after itself, hence a name for each
    // process.
    try owner.acting {
      for name in entries(of: rootFolder) where name.hasPrefix("data.new") {
        removeTree(rootFolder + "/" + name)
      }
    }
    let draft = clusterFolder + ".new-\(getpid())"
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

  private func make(_ draft: String, owner: Owner, binaries: PostgresBinaries) async throws {
    var arguments = ["-D", draft, "-U", Self.name, "--encoding=UTF8", "--locale=C"]
    arguments += ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
    arguments += settings.isDurable ? ["--data-checksums"] : ["--no-sync"]
    let made = try await binaries.run("initdb", arguments, as: owner)
    guard made.succeeded else {
      throw ClusterError(
        .failed, "the private PostgreSQL cluster could not be made in \(rootFolder)",
        detail: made.message)
    }
    try owner.acting { try append(settings.configuration, to: draft + "/postgresql.conf") }
    guard let database = settings.database else { return }
    let created = try await binaries.run(
      "postgres", ["--single", "-D", draft, "-c", "exit_on_error=on", "postgres"], as: owner,
      input: "create database \(database)\nrevoke connect on database \(database) from public\n")
    guard created.succeeded else {
      throw ClusterError(
        .failed, "the database \(database) could not be made", detail: created.message)
    }
  }

  /// Whether the folder of the socket is one that nobody but its owner can have put a socket into.
  func socketFolderIsOurs() -> Bool {
    var socket = stat()
    var root = stat()
    guard lstat(socketFolder, &socket) == 0, lstat(rootFolder, &root) == 0 else { return false }
    return socket.st_mode & S_IFMT == S_IFDIR && socket.st_uid == root.st_uid
      && socket.st_mode & 0o077 == 0
  }

  /// Refuses a server that nobody can reach any more, since its socket was removed.
  ///
  /// It is not started anew unasked: somebody may be connected since before.
  func requireSocket() throws {
    var socket = stat()
    guard socketFolderIsOurs(), lstat("\(socketFolder)/.s.PGSQL.\(Self.port)", &socket) == 0,
      socket.st_mode & S_IFMT == S_IFSOCK
    else {
      throw ClusterError(
        .folder, "the private PostgreSQL server runs, but its socket in \(socketFolder) is gone",
        remedy: "\(.stopServer); the next command starts it again")
    }
  }

  func prepareSocketFolder(owner: Owner) throws {
    try owner.acting { _ = mkdir(socketFolder, 0o700) }
    guard socketFolderIsOurs() else {
      throw ClusterError(
        .folder, "the folder of the socket, \(socketFolder), is missing or open to others",
        remedy: "remove it, or choose another data folder with \(.setting(.home))")
    }
  }

  private func createOwnedFolder(_ path: String, owner: Owner) throws {
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw ClusterError(
        .folder, "cannot create the folder \(path): \(errorText(errno))",
        remedy: "choose a folder you may write to with \(.setting(.home))")
    }
    if geteuid() == 0, lchown(path, owner.userID, owner.groupID) != 0 {
      throw ClusterError(.folder, "cannot give \(path) to \(owner.name): \(errorText(errno))")
    }
  }

  /// Waits for a server that somebody else is bringing up or down; the caller holds the lock.
  func waitWhileChanging() async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(600)
    while case .changing(let processID) = try status() {
      guard clock.now < deadline else {
        throw ClusterError(
          .busy, "the private PostgreSQL server (process \(processID)) is not ready yet",
          remedy: "its log is \(logFile)")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Starts the server with `pg_ctl`, which detaches it from this process, its terminal and pipes.
  ///
  /// Children of a server that was killed take a moment to notice; until then a start is refused.
  func launch(owner: Owner, binaries: PostgresBinaries) async throws {
    try owner.acting { if fileSize(logFile) > 4 << 20 { rename(logFile, logFile + ".1") } }
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(15)
    while true {
      let logStart = try owner.acting {
        Postmaster.removeRemains(in: clusterFolder, socketFolder: socketFolder)
        return fileSize(logFile)
      }
      let options = "-c unix_socket_directories=" + shellQuoted("\"\(socketFolder)\"")
      let outcome = try await binaries.run(
        "pg_ctl",
        ["-D", clusterFolder, "-l", logFile, "-o", options, "-s", "-w", "-t", "600", "start"],
        as: owner)
      if outcome.succeeded { return }
      let log = try owner.acting { readText(logFile, from: logStart) ?? "" }
      guard Self.passing.contains(where: { log.contains($0) }), clock.now < deadline else {
        throw ClusterError(
          .failed, "the private PostgreSQL server did not start",
          detail: oneLine(log.isEmpty ? outcome.message : log), remedy: "its log is \(logFile)")
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// What PostgreSQL says while children of a dead server are still there.
  private static let passing = ["is still in use", "\" is empty", "bogus data in lock file"]

  private func shellQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
