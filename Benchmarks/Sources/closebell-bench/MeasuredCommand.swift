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
  static func run(_ command: [String], showsOutput: Bool = false) throws -> MeasuredCommand {
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if !showsOutput {
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    }
    var child = pid_t()
    let started = ContinuousClock.now
    let error = posix_spawnp(&child, command[0], &actions, nil, arguments, environ)
    guard error == 0 else { throw Failed(command: command, status: error) }
    var status: Int32 = 0
    var usage = rusage()
    while wait4(child, &status, 0, &usage) < 0 {
      guard errno == EINTR else { throw Failed(command: command, status: errno) }
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    guard status == 0 else { throw Failed(command: command, status: status >> 8) }
    return MeasuredCommand(
      seconds: seconds, peakMegabytes: Double(usage.ru_maxrss) / 1_024,
      cpuSeconds: inSeconds(usage.ru_utime) + inSeconds(usage.ru_stime))
  }

  private static func inSeconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
