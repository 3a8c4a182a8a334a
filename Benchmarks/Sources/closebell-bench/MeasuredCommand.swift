import Glibc

/// A command run to its end, with what the kernel counted of it.
struct MeasuredCommand {
  /// Wall time.
  var seconds = 0.0
  /// Largest resident size of the process.
  var peakMegabytes = 0.0
  /// User and system time.
  var cpuSeconds = 0.0

  struct Failed: Error, CustomStringConvertible {
    var command: [String]
    var status: Int32
    var description: String { "\(command.joined(separator: " ")) ended with status \(status)" }
  }

  /// Runs a program and waits for it; its standard output goes to /dev/null unless it is shown.
  static func run(
    _ command: [String], showsOutput: Bool = false, showsErrors: Bool = true
  ) throws -> MeasuredCommand {
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if !showsOutput {
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    }
    if !showsErrors {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    }
    var child = pid_t()
    let started = ContinuousClock.now
    let error = posix_spawnp(&child, command[0], &actions, nil, arguments, environ)
    guard error == 0 else { throw Failed(command: command, status: error) }
    var status: Int32 = 0
    var usage = rusage()
    var peak = 0.0
    for look in 0... {
      let ended = wait4(child, &status, WNOHANG, &usage)
      if ended == child { break }
      guard ended == 0 || errno == EINTR else { throw Failed(command: command, status: errno) }
      // Reading it costs what is measured: not each time.
      if look.isMultiple(of: 16) { peak = max(peak, peakMegabytes(of: child)) }
      usleep(1_000)
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    guard status == 0 else { throw Failed(command: command, status: status >> 8) }
    return MeasuredCommand(
      seconds: seconds, peakMegabytes: peak,
      cpuSeconds: inSeconds(usage.ru_utime) + inSeconds(usage.ru_stime))
  }

  /// The largest resident size so far; what is reached in the last milliseconds may be missed.
  ///
  /// `ru_maxrss` would not do: a child begins with that of the process that it was forked from.
  private static func peakMegabytes(of process: pid_t) -> Double {
    guard let file = fopen("/proc/\(process)/status", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    while fgets(&buffer, Int32(buffer.count), file) != nil {
      let line = String(
        decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard line.hasPrefix("VmHWM:") else { continue }
      return (line.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Double($0) } ?? 0)
        / 1_024
    }
    return 0
  }

  private static func inSeconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
