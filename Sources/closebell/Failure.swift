import ArgumentParser
import Console
import Postgres
import Problems
import Settings
import Text

/// How the program ends where something was not done: what it says, and the exit code.
///
/// Every error comes down to one of three: an `Ended`, where a command has said already what
/// there is to say; what the parser says, be it help; and a problem, whose kind gives the code.
struct Failure {
  private enum Words {
    case said
    case parser(String)
    case problem(StatedProblem)
  }

  /// What is wrong with the arguments as such.
  static let wrongUsage = ProblemCode("wrong_usage", .usage)

  /// The exit code that scripts see.
  let code: Int32
  private let words: Words

  init(_ error: any Error) {
    if let ended = error as? Ended {
      (code, words) = (ended.code, .said)
    } else if let words = Self.words(ofParser: error) {
      (code, self.words) = (Closebell.exitCode(for: error).rawValue, .parser(words))
    } else {
      let problem = error.stated
      (code, words) = (problem.code.kind.exitCode, .problem(problem))
    }
  }

  /// What it says, in the lines of a terminal.
  var message: String {
    switch words {
    case .said: ""
    case .parser(let text): text
    case .problem(let problem): "\(problem)"
    }
  }

  /// What the parser says, as the rest of the program says it; nil of an error that is not its own.
  ///
  /// With `error:`, and without a connection string that stood where it does not belong. Of what it
  /// does not know it says no more than that something failed.
  private static func words(ofParser error: any Error) -> String? {
    guard !(error is any Problem), Closebell.exitCode(for: error) != .failure else { return nil }
    var text = Closebell.fullMessage(for: error)
    if text.hasPrefix("Error: ") { text = "error: " + text.dropFirst("Error: ".count) }
    let secrets = CommandLine.arguments.dropFirst().filter(Configuration.isLikeConnectionString)
    return secrets.reduce(text) { $0.replacing($1, with: "…") }
  }

  /// The same for a log: what is wrong, the way out where we know one, and the usage.
  private static func line(ofParser text: String) -> LogLine {
    let parts = text.split(separator: "\nUsage: ", maxSplits: 1)
    let said = (parts.first ?? "").split(separator: "\nhint: ", maxSplits: 1).map(String.init)
    var message = said.first ?? ""
    if message.hasPrefix("error: ") { message.removeFirst("error: ".count) }
    var line = LogLine(
      .error, message, hint: said.count > 1 ? said[1] : nil,
      code: wrongUsage)
    if parts.count > 1 { line.details = ["Usage: \(parts[1])"] }
    return line
  }

  /// Prints the message where it belongs and returns the code.
  func report() -> Int32 {
    switch words {
    case .said: break
    case .problem(let problem): Terminal.complain(problem)
    case .parser(let text) where code == 0: StandardOutput.data(text + "\n")
    case .parser(let text) where Terminal.format == .text:
      Terminal.draw(Typed.onOneLine(text).shownLines + "\n")
    case .parser(let text): Terminal.complain(Self.line(ofParser: Typed.onOneLine(text)))
    }
    return code
  }
}
