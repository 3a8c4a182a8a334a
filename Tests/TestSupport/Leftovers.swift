import Glibc
import PrivateCluster
import Synchronization

/// The folders of throwaway clusters: made by this process, and those of processes that are gone.
///
/// A folder's name carries the process and the moment it started, so that a number used again by
/// another process does not keep a dead one's folder alive.
enum Leftovers {
  private static let prefix = "closebell-test-"
  private static let folders = Mutex<[String]>([])
  private static let count = Atomic<Int>(0)

  /// The path of a new folder, which is removed with its server when this process exits.
  static func newFolder() -> String {
    let number = count.add(1, ordering: .relaxed).newValue
    let folder = "/tmp/\(prefix)\(getpid())-\(startTime(of: getpid()) ?? "0")-\(number)"
    folders.withLock { $0.append(folder) }
    registerExit
    return folder
  }

  /// Ends the server in a folder and removes the folder.
  static func remove(_ folder: String) {
    PrivateCluster(dataFolder: folder, settings: .throwaway).kill()
    removeTree(folder)
    folders.withLock { $0.removeAll { $0 == folder } }
  }

  /// Removes what dead test processes of this user left, once in the life of this process.
  static func sweepOnce() { sweep }

  private static let registerExit: Void = {
    atexit {
      for folder in Leftovers.folders.withLock({ $0 }) { Leftovers.remove(folder) }
    }
  }()

  private static let sweep: Void = {
    for name in entries(of: "/tmp") where name.hasPrefix(prefix) {
      let parts = name.dropFirst(prefix.count).split(separator: "-")
      guard parts.count == 3, let process = Int32(parts[0]), startTime(of: process) != parts[1],
        access("/tmp/" + name, W_OK) == 0
      else { continue }
      remove("/tmp/" + name)
    }
  }()

  /// When a process started, in clock ticks since boot; nil if it has ended.
  private static func startTime(of process: Int32) -> Substring? {
    // The second field is a program's name in parentheses, which may hold spaces.
    guard let status = readText("/proc/\(process)/stat"), let end = status.lastIndex(of: ")")
    else { return nil }
    let fields = status[end...].split(separator: " ")
    return fields.count > 20 && fields[1] != "Z" ? fields[20] : nil
  }
}
