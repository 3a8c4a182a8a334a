import CThreadOwner
import Glibc
import Problems

/// The user a cluster's files belong to and its server runs as.
package struct Owner: Equatable {
  let name: String
  let userID: uid_t
  let groupID: gid_t

  /// The caller, or for root the owner of an existing cluster, else the user `postgres`.
  static func ofCluster(in folder: String) throws -> Owner {
    let caller = geteuid()
    var status = stat()
    let isThere = lstat(folder, &status) == 0
    guard !isThere || status.st_mode & S_IFMT == S_IFDIR else {
      throw ClusterError(
        .folder, "\(folder) is no folder", remedy: "choose another folder with \(.setting(.home))")
    }
    guard caller == 0 else {
      guard !isThere || status.st_uid == caller else {
        throw ClusterError(
          .folder, "the private cluster in \(folder) belongs to another user",
          remedy: "run as its owner, or choose another folder with \(.setting(.home))")
      }
      return Owner(name: "uid \(caller)", userID: caller, groupID: getegid())
    }
    if isThere, status.st_uid != 0 {
      return Owner(name: "uid \(status.st_uid)", userID: status.st_uid, groupID: status.st_gid)
    }
    guard let entry = getpwnam("postgres")?.pointee, entry.pw_uid != 0 else {
      throw ClusterError(
        .noUnprivilegedUser,
        "PostgreSQL does not run as root, and there is no user postgres to run it as",
        remedy: "useradd --system postgres, or run closebell as an ordinary user")
    }
    return Owner(name: "postgres", userID: entry.pw_uid, groupID: entry.pw_gid)
  }

  /// The command line by which a program is run as this user: root gives up its groups, others have
  /// nothing to do.
  ///
  /// A program does that, for lack of a safe way of our own: between `fork` and `exec` glibc's
  /// `setgroups` asks every thread of the parent along, and waits for ever for one that the parent
  /// was just then creating.
  func running(_ program: String, _ arguments: [String]) -> (String, [String]) {
    guard geteuid() == 0 else { return (program, arguments) }
    let identity = ["--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups"]
    return ("setpriv", identity + ["--", program] + arguments)
  }

  /// Does work on this user's files as this user.
  ///
  /// Whoever owns a folder can put a link into the place of whatever is in it, at any moment; root
  /// would follow it anywhere. Only the calling thread changes, for as long as `body` takes, and
  /// threads that `body` would make.
  package func acting<R>(_ body: () throws -> R) throws -> R {
    guard geteuid() == 0, userID != 0 else { return try body() }
    let code = closebell_thread_become(userID, groupID)
    guard code == 0 else {
      throw ClusterError(
        .folder, "cannot work on the files of the user \(name): \(errorText(code))",
        remedy: "run as that user, or choose another folder with \(.setting(.home))")
    }
    defer { closebell_thread_revert() }
    return try body()
  }

  /// Refuses a folder this user cannot get to, before PostgreSQL fails on it less clearly.
  func requireReach(of folder: String) throws {
    guard geteuid() == 0 else { return }
    var path = ""
    for part in folder.split(separator: "/") {
      path += "/" + part
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      let shift: UInt32 = status.st_uid == userID ? 6 : status.st_gid == groupID ? 3 : 0
      guard status.st_mode >> shift & 1 == 1 else {
        throw ClusterError(
          .folder, "the user \(name), who runs the private server, cannot enter \(path)",
          remedy: "chmod a+x \(path), or choose another folder with \(.setting(.home))")
      }
    }
  }
}
