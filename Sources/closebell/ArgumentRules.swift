import ArgumentParser
import Console
import Glibc
import Problems
import Text

/// What the parser would take without a word, or only after very long, is refused before it is
/// asked.
enum ArgumentRules {
  /// The parser takes time with the square of their number: some seconds for as many.
  static let most = 10_000
  /// Options that each add one more; of any other the last would win in silence.
  static let repeatable: Set<Substring> = [
    "--ignore", "--map", "--portfolio", "--requested-by", "--set", "--skip-rows", "--word",
  ]

  /// Refuses a command line.
  ///
  /// - Throws: A problem of usage.
  static func require(_ arguments: [String]) throws {
    guard arguments.count <= most else {
      throw wrong(
        "\(arguments.count) arguments are more than \(most)",
        "give them to several commands, such as with xargs -n 1000")
    }
    let words = arguments.prefix { $0 != "--" }
    try requireCommand(words.first == "help" ? words.dropFirst() : words)
    var given: Set<Substring> = []
    for word in words where word.hasPrefix("-") && word != "-" {
      // The parser reads `-xh` as `-x -h`, and for `-h` it forgets the rest.
      guard word.hasPrefix("--") || word == "-h" else {
        throw wrong("unknown option \(Quoted.short(word))", "options begin with two dashes")
      }
      let name = word.prefix { $0 != "=" }
      guard word == name || !["--help", "--help-hidden", "--version"].contains(name) else {
        throw wrong("\(name) takes no value")
      }
      guard given.insert(name).inserted || repeatable.contains(name) else {
        throw wrong("\(Quoted.short(String(name))) is given more than once")
      }
    }
  }

  /// The words that name a command name one: help for another is none for it.
  private static func requireCommand(_ words: ArraySlice<String>) throws {
    var command: any ParsableCommand.Type = Closebell.self
    var path = ""
    for word in words {
      let commands = command.configuration.subcommands
      guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      path += (path.isEmpty ? "" : " ") + word
      guard let named = commands.first(where: { $0._commandName == word }) else {
        throw wrong(
          "there is no command \(Quoted.short(path))", "closebell \(command.parentHelp) lists them")
      }
      command = named
    }
  }

  private static func wrong(_ message: String, _ hint: String? = nil) -> StatedProblem {
    StatedProblem(Failure.wrongUsage, message, remedy: hint.map { Remedy(prose: $0) })
  }

  /// How messages are to look, where the arguments say so: what is wrong with these is one too.
  static func logFormat(_ arguments: [String]) -> LogFormat? {
    let words = arguments.prefix { $0 != "--" }
    let name = "--log-format"
    guard let place = words.lastIndex(where: { $0 == name || $0.hasPrefix(name + "=") }) else {
      return nil
    }
    let value =
      words[place] == name
      ? words[(place + 1)...].first ?? "" : String(words[place].dropFirst(name.count + 1))
    return LogFormat(rawValue: value)
  }
}

extension ParsableCommand {
  /// What lists the commands below this one.
  fileprivate static var parentHelp: String {
    self == Closebell.self ? "help" : "help \(_commandName)"
  }
}

/// How wide help is written.
enum HelpWidth {
  /// The parser writes help into columns of its own, and has no room for a text in fewer.
  static let columns = 40...1_000

  /// Has help written as wide as the terminal, within bounds; asked of the parser by `COLUMNS`.
  static func bound() {
    let told = getenv("COLUMNS").flatMap { Int(String(cString: $0)) }
    guard let width = told ?? StandardOutput.columns, !columns.contains(width) else { return }
    setenv("COLUMNS", "\(min(max(width, columns.lowerBound), columns.upperBound))", 1)
  }
}
