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
