import Glibc
import Problems

extension PrivateCluster {
  /// Refuses a data folder into which others could have put a cluster of their own.
  ///
  /// As ssh has it for a home: the folder and those above it belong to root or the caller, and
  /// nobody else may write to them. Above it a sticky folder such as `/tmp` will do, where each
  /// moves only what is theirs.
  func requireFolderOfOurs() throws {
    guard dataFolder.hasPrefix("/") else {
      throw ClusterError(
        .folder, "the data folder's path is relative, and the working directory is gone",
        remedy: "choose a folder by its whole path with \(.setting(.home))")
    }
    let way = try requireWayOfOurs()
    var path = ""
    for part in ["/"] + dataFolder.split(separator: "/").map({ "/" + $0 }) {
      path = path == "/" ? part : path + part
      var status = stat()
      guard lstat(path, &status) == 0 else { break }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw ClusterError(
          .folder, "\(path) is no folder", remedy: "choose another folder with \(.setting(.home))")
      }
      try requireOurs(path, status, maySettle: path != dataFolder)
    }
    guard way == dataFolder else {
      throw ClusterError(
        .folder, "the path \(givenFolder) does not lead to \(dataFolder) any more",
        remedy: "choose a folder by a path without links with \(.setting(.home))")
    }
  }

  /// Refuses a folder on the way, or the data folder itself, that others own or may write to.
  ///
  /// - Parameter maySettle: Whether a sticky one will do.
  private func requireOurs(_ path: String, _ status: stat, maySettle: Bool) throws {
    guard Self.isOurs(status) else {
      throw ClusterError(
        .folder, "the folder \(path) belongs to another user, who could put another cluster here",
        remedy: "choose another folder with \(.setting(.home))")
    }
    guard !Self.isOpen(status) || maySettle && status.st_mode & S_ISVTX != 0 else {
      throw ClusterError(
        .folder,
        "the folder \(path) may be written by others, who could put another cluster here",
        remedy: "chmod go-w \(path), or choose another folder with \(.setting(.home))")
    }
  }

  private static func isOurs(_ status: stat) -> Bool {
    status.st_uid == 0 || status.st_uid == geteuid()
  }

  private static func isOpen(_ status: stat) -> Bool { status.st_mode & 0o022 != 0 }

  /// Refuses a path that somebody else leads: by a link of his where he may put one, or by a folder
  /// in which he could put another link in the place of one of ours.
  ///
  /// What links lead to is not enough to look at: it is a folder of ours where root is led to one
  /// of root's.
  ///
  /// - Returns: Where the path leads, as far as it exists.
  private func requireWayOfOurs() throws -> String {
    let given =
      givenFolder.hasPrefix("/") ? givenFolder : subpath(givenFolder, of: absolutePath("."))
    var rest = Array(given.split(separator: "/").reversed())
    var (folder, links) = ("/", 0)
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        folder = "/" + folder.split(separator: "/").dropLast().joined(separator: "/")
        continue
      }
      var above = stat()
      if lstat(folder, &above) == 0, above.st_mode & S_IFMT == S_IFDIR {
        try requireOurs(folder, above, maySettle: true)
      }
      let path = subpath(part, of: folder)
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
        folder = path
        continue
      }
      guard Self.isOurs(status) || !Self.isOpen(above), links < 40, let target = linkTarget(path)
      else {
        throw ClusterError(
          .folder, "the link \(path) belongs to another user, who could lead it anywhere",
          remedy: "choose a folder by another path with \(.setting(.home))")
      }
      links += 1
      if target.hasPrefix("/") { folder = "/" }
      rest += target.split(separator: "/").reversed()
    }
    return folder
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
    guard socketFolderIsOurs(),
      try asOwner({ ServerSocket.listener(in: socketFolder) }) != nil
    else {
      throw ClusterError(
        .folder, "the private PostgreSQL server runs, but its socket in \(socketFolder) is gone",
        remedy: "\(.stopServer); the next command starts it again")
    }
  }

  func prepareSocketFolder(owner: Owner) throws {
    try owner.acting { _ = createFolder(socketFolder, mode: 0o700) }
    guard socketFolderIsOurs() else {
      throw ClusterError(
        .folder, "the folder of the socket, \(socketFolder), is missing or open to others",
        remedy: "remove it, or choose another data folder with \(.setting(.home))")
    }
  }
}
