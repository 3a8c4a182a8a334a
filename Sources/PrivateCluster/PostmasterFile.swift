import Glibc

/// What a server wrote about itself into `postmaster.pid`, as far as a crash left it whole.
struct PostmasterFile {
  /// The first line; nil where it is no number that a process can have.
  let processID: Int32?
  /// The folder of its socket, the fifth line.
  let socketFolder: String?
  /// The state that it is in, the eighth line: `starting`, `ready`, `stopping`.
  let state: String
  /// Key and id of its shared memory, the seventh line.
  private let sharedMemory: [Substring]

  /// The file of a cluster, nil if there is none.
  init?(in clusterFolder: String) {
    let path = Self.path(in: clusterFolder)
    guard exists(path) else { return nil }
    self.init(text: readText(path) ?? "")
  }

  init(text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // As PostgreSQL reads it: a server without a postmaster has a number below zero.
    let digits = lines[0].drop { $0 == "-" }.prefix { $0.isASCII && $0.isNumber }
    processID = Int32(digits).flatMap { $0 > 1 ? $0 : nil }
    socketFolder = lines.count > 4 && lines[4].hasPrefix("/") ? String(lines[4]) : nil
    sharedMemory = lines.count > 6 ? lines[6].split(separator: " ") : []
    state = lines.count > 7 ? String(lines[7].prefix { $0 != " " }) : ""
  }

  static func path(in clusterFolder: String) -> String { clusterFolder + "/postmaster.pid" }

  /// Whether its process, or a child of it, still has the shared memory that it names.
  ///
  /// It cannot be told without `/proc`, or from another container; PostgreSQL looks as well.
  var isMemoryInUse: Bool {
    guard sharedMemory.count == 2, let segments = readText("/proc/sysvipc/shm") else {
      return false
    }
    return segments.split(separator: "\n").dropFirst().contains { line in
      let fields = line.split(separator: " ")
      return fields.count > 6 && fields[0] == sharedMemory[0] && fields[1] == sharedMemory[1]
        && fields[6] != "0"
    }
  }
}
