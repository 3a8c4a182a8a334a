import Glibc
import Operations

/// Facts about this process.
enum Host {
  /// Who asks.
  static var caller: Caller {
    Caller(
      host: name, process: getpid(), version: Version.current,
      arguments: argumentsWithoutSecrets)
  }

  /// The machine's name.
  static var name: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
    return String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The command line as the run history keeps it: a database URL may hold a password.
  ///
  /// What stands for it is ASCII: books that were made in another encoding than UTF-8 take it too.
  static var argumentsWithoutSecrets: String {
    var hidesNext = false
    return CommandLine.arguments.dropFirst().map { argument in
      defer { hidesNext = argument == "--database" }
      if hidesNext { return "***" }
      return argument.hasPrefix("--database=") ? "--database=***" : argument
    }.joined(separator: " ")
  }
}
