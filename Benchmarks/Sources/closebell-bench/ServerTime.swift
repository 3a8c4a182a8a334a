import Glibc

/// The processor time of a server, as the kernel counts it in hundredths of a second.
///
/// That is of its sessions, and of the processes that write its log and its pages for them or tidy
/// up behind them.
struct ServerTime {
  /// The server's first process.
  let processID: Int

  /// Seconds so far, of processes that run and of those that have ended.
  func seconds() -> Double {
    // A session that was closed just now needs a moment to end.
    usleep(100_000)
    guard processID > 0 else { return 0 }
    var ticks = 0
    for process in Self.processes() {
      guard let times = Times(process) else { continue }
      if process == processID { ticks += times.own + times.ofEndedChildren }
      if times.parent == processID { ticks += times.own }
    }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func processes() -> [Int] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var processes: [Int] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let process = Int(name) { processes.append(process) }
    }
    return processes
  }

  private struct Times {
    var parent: Int
    var own: Int
    var ofEndedChildren: Int

    /// Nil for a process that has ended meanwhile.
    init?(_ process: Int) {
      guard let file = fopen("/proc/\(process)/stat", "r") else { return nil }
      defer { fclose(file) }
      var buffer = [CChar](repeating: 0, count: 1_024)
      guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
      let line = String(
        decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // After the name in parentheses come the state, the parent, and so on.
      let fields = (line.split(separator: ")").last ?? "").split(separator: " ").map { Int($0) }
      guard fields.count > 14, let parent = fields[1], let user = fields[11],
        let system = fields[12], let childrenUser = fields[13], let childrenSystem = fields[14]
      else { return nil }
      self.parent = parent
      own = user + system
      ofEndedChildren = childrenUser + childrenSystem
    }
  }
}
