import Glibc
import Postgres
import Problems

/// What this process was told by its arguments and its settings.
package enum Typed {
  /// A message in which each argument stands on one line: the lines of a message are ours, and
  /// what follows a line break in a file's name is no hint.
  package static func onOneLine(_ message: String) -> String {
    broken.reduce(message) { $0.replacing($1, with: $1.onOneLine) }
  }

  /// Refuses to go on as if there were no arguments: the language reads them from `/proc`, and even
  /// the program's own name is missing without it.
  ///
  /// - Throws: A problem of configuration.
  package static func requireArguments() throws {
    guard CommandLine.arguments.isEmpty else { return }
    throw StatedProblem(
      ProblemCode("proc_missing", .configuration),
      "the arguments cannot be read: /proc/self/cmdline is not there",
      remedy: "mount -t proc proc /proc")
  }

  private static let arguments = Array(CommandLine.arguments.dropFirst())
  /// What stands before and behind `=` in one of them; of an option the parser leaves out dashes.
  private static let values = arguments.flatMap { argument -> [String] in
    guard let sign = argument.firstIndex(of: "=") else { return [] }
    let name = String(argument[..<sign])
    return [
      name, String(name.drop { $0 == "-" }), String(argument[argument.index(after: sign)...]),
    ]
  }

  /// Refuses arguments that are no text: a file by the name that is left of them is another one.
  ///
  /// - Throws: A problem of usage.
  package static func requireText() throws {
    for (number, argument) in CommandLine.arguments.enumerated().dropFirst() {
      guard let bytes = CommandLine.unsafeArgv[number], String(validatingCString: bytes) == nil
      else { continue }
      throw StatedProblem(
        ProblemCode("argument_not_text", .usage),
        "argument \(number) is not valid UTF-8: \(argument.onOneLine)",
        remedy: "give the file another name; one that is read can be given as -, standard input")
    }
  }

  /// Refuses an argument that looks like a connection string where none belongs: it would be
  /// printed, stored, or sent to the server as a name.
  ///
  /// - Throws: A problem of usage, which quotes nothing of it.
  package static func requireNoConnectionString() throws {
    var belongs = false
    for (number, argument) in CommandLine.arguments.enumerated().dropFirst() {
      defer { belongs = argument == "--database" }
      guard !belongs, !argument.hasPrefix("--database="),
        Configuration.isLikeConnectionString(argument)
      else { continue }
      throw StatedProblem(
        ProblemCode("connection_string_misplaced", .usage),
        "argument \(number) looks like a connection string",
        remedy: "it belongs behind \(.option(.database)), and its password into ~/.pgpass")
    }
  }

  private static let broken: [String] = {
    let settings = ProcessEnvironment.variables.filter { $0.key.hasPrefix(Variables.prefix) }
    return (arguments + values + settings.values.compactMap(\.self))
      .filter { $0 != $0.onOneLine && !$0.allSatisfy(\.isWhitespace) }
      .sorted { $0.utf8.count > $1.utf8.count }
  }()
}
