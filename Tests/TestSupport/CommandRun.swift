import Glibc
import Subprocess

/// What a program wrote and how it ended.
public struct CommandRun: Sendable {
  /// Everything it wrote to standard output.
  public let standardOutput: String
  /// Everything it wrote to standard error.
  public let standardError: String
  /// Its exit code; a program ended by a signal has 128 and the signal's number, as in a shell.
  public let exitCode: Int

  /// A program took longer than it was given, and was killed.
  public struct TimeLimitExceeded: Error, Sendable {
    /// The program and its arguments.
    public let command: String
    /// The time it was given.
    public let limit: Duration
  }

  /// A program that runs, for sending it signals.
  public struct Running: Sendable {
    /// The process.
    public let processID: Int32

    /// Sends a signal such as `SIGINT`; nothing happens if the process has ended.
    public func send(_ signal: Int32) { _ = kill(processID, signal) }

    /// Whether it is stopped, as by SIGSTOP.
    public var isStopped: Bool { state == "T" }

    /// Whether it has neither ended nor been stopped.
    public var isAtWork: Bool { state.map { !"TZX".contains($0) } ?? false }

    /// The state's letter, as `ps` shows it; nil once the process is gone.
    private var state: Character? {
      guard let file = fopen("/proc/\(processID)/stat", "r") else { return nil }
      defer { fclose(file) }
      var buffer = [CChar](repeating: 0, count: 512)
      guard fgets(&buffer, 511, file) != nil else { return nil }
      let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
      return text.split(separator: ")").last?.first { $0 != " " }
    }
  }

  /// The built `closebell`, beside the test bundle.
  public static let closebell = beside("closebell")

  /// A program that was built with the test bundle.
  public static func beside(_ name: String) -> String {
    let bundle = resolvedLink("/proc/self/exe") ?? CommandLine.arguments[0]
    return bundle.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
  }

  /// Runs the built `closebell`.
  ///
  /// - Parameters:
  ///   - arguments: Its arguments.
  ///   - environment: What it finds beside `PATH` and `HOME`; nothing else is inherited.
  ///   - input: What it reads from standard input.
  ///   - timeLimit: After this it is killed.
  ///   - whileRunning: Runs beside it, for example to send it a signal.
  public static func closebell(
    _ arguments: [String], environment: [String: String] = [:], input: String = "",
    timeLimit: Duration = .seconds(300),
    whileRunning: @escaping @Sendable (Running) async throws -> Void = { _ in }
  ) async throws -> CommandRun {
    try await run(
      closebell, arguments, environment: environment, input: input, timeLimit: timeLimit,
      whileRunning: whileRunning)
  }

  /// Runs any program by its absolute path; the parameters are those of the run of `closebell`.
  public static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    input: String = "", timeLimit: Duration = .seconds(300),
    whileRunning: @escaping @Sendable (Running) async throws -> Void = { _ in }
  ) async throws -> CommandRun {
    let outcome = try await withThrowingTaskGroup(of: CommandRun?.self) { group in
      group.addTask {
        try await unlimitedRun(program, arguments, environment, input, whileRunning)
      }
      group.addTask {
        try await Task.sleep(for: timeLimit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    guard let outcome else {
      let command = ([program] + arguments).joined(separator: " ")
      throw TimeLimitExceeded(command: command, limit: timeLimit)
    }
    return outcome
  }

  /// A program that ends before it has read its input must not take the tests along; it begins with
  /// the default itself.
  private static let outlivesBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

  private static func unlimitedRun(
    _ program: String, _ arguments: [String], _ environment: [String: String], _ input: String,
    _ whileRunning: @escaping @Sendable (Running) async throws -> Void
  ) async throws -> CommandRun {
    _ = outlivesBrokenPipes
    let parts = program.split(separator: "/")
    let folder = parts.dropLast().reduce("") { $0 + "/" + $1 }
    var variables: [Environment.Key: String] = ["PATH": folder + ":/usr/bin:/bin"]
    if let home = getenv("HOME") { variables["HOME"] = String(cString: home) }
    for (key, value) in environment {
      guard let key = Environment.Key(rawValue: key) else { continue }
      variables[key] = value
    }
    variables["PATH"] = folder + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    let result = try await Subprocess.run(
      .name(String(parts.last ?? "")), arguments: Arguments(arguments),
      environment: .custom(variables), input: .inputWriter,
      output: .string(limit: 64 << 20), error: .string(limit: 64 << 20)
    ) { execution in
      async let isWritten: Void = write(input, to: execution.standardInputWriter)
      try await whileRunning(Running(processID: execution.processIdentifier.value))
      await isWritten
    }
    let exitCode: Int =
      switch result.terminationStatus {
      case .exited(let code): Int(code)
      case .signaled(let signal): 128 + Int(signal)
      }
    return CommandRun(
      standardOutput: result.standardOutput, standardError: result.standardError,
      exitCode: exitCode)
  }

  /// Writes what a program finds on standard input; it may end before it has read that.
  private static func write(_ input: String, to writer: StandardInputWriter) async {
    _ = try? await writer.write(input)
    try? await writer.finish()
  }

  private static func resolvedLink(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
