import Foundation
import TestSupport

/// What strangers, typing errors and other programs put where a setting belongs.
struct HostileInput {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// One of each kind that broke somebody's parser.
  static let values = [
    "", " ", "0", "-0", "-1", "1", "+1", "007", "abc", "1k", "1K", "5ß", "ﬁ", "½", "٣", "१", "1e3",
    "1e400", "-1e400", "inf", "-inf", "infinity", "nan", "0x10", "0x1p-1074", "1_000", "1,000",
    "127", "128", "32767", "32768", "65535", "65536", "2147483647", "2147483648", "-2147483649",
    "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551616", "340282366920938463463374607431768211456", "1.5", "1.", ".5", "1..2",
    "2m", "1h30m", "500ms", "0.0001", "30m1h", "99999999999999999999d", "292277026596y",
    "1900-01-01", "1899-12-31", "2199-12-31", "2200-01-01", "0000-00-00", "9999-12-31",
    "2017-02-29", "2016-02-29", "2017-13-01", "2017-06-30", "-2017-06-30", "2199-12", "1900-01",
    "2017-00", "2017-13", "today", "\u{202E}10", "\u{0}", "\u{7F}", "\u{1B}[2J", "\n", "\t", "\r\n",
    "e\u{301}", "👩‍👩‍👧‍👦", "\u{FEFF}1", "'", "\"", "'; drop table x; --", "$(id)", "%00", "%s%n", "=",
    "a=",
    "=b", "a=b", "a=b=c", "#", "#1", "ACORN#", "ACORN#0", "ACORN#99999999999999999999", "#-1", "..",
    "a.b", "a.b.c", "\"a", "\"a\".b", "-", "--", "---", "--=", "-x", "/", "/dev/null",
    "/nonexistent/a",
    "../../etc/passwd", "postgresql://", "host=", "DD.MM.YYYY", "YYYYMMDD", "YYYYYYYY",
    String(repeating: "9", count: 5_000), String(repeating: "a", count: 10_000),
    String(repeating: "1h", count: 400), String(repeating: "🙂", count: 500),
  ]

  /// One of these, or letters, digits and signs that were thrown together.
  mutating func value() -> String {
    if generator.chance(oneIn: 2) { return generator.pick(Self.values) }
    let alphabet = Array("0123456789.-+eEsmhdkKMGT:/@=#%_ ,;'\"ßé٣👍\u{200B}")
    return String((0..<generator.below(12)).map { _ in generator.pick(alphabet) })
  }
}

/// The commands as the program itself describes them, so that no option is forgotten.
struct CommandTree: Decodable {
  var command: Command

  struct Command: Decodable {
    var commandName: String
    var subcommands: [Command]?
    var arguments: [Parameter]?

    /// Every command that does something, with the words that lead to it.
    func leaves(after words: [String] = []) -> [(words: [String], parameters: [Parameter])] {
      let below = (subcommands ?? []).filter { $0.commandName != "help" }
      if below.isEmpty { return [(words, arguments ?? [])] }
      return below.flatMap { $0.leaves(after: words + [$0.commandName]) }
    }
  }

  struct Parameter: Decodable {
    var kind: String
    var isOptional: Bool
    var isRepeating: Bool
    var valueName: String?
    var preferredName: Name?

    struct Name: Decodable {
      var kind: String
      var name: String
    }

    /// `--workers`; nil for what stands by itself.
    var option: String? { kind == "option" ? preferredName.map { "--\($0.name)" } : nil }

    /// What the parser takes, so that it comes to the others.
    var harmless: String {
      switch valueName ?? "" {
      case "date", "from", "to": "2017-06-30"
      case "month": "2017-05"
      case "id", "run", "n": "1"
      case "kind": "prices"
      case "series": "snapshots"
      case "files", "file": "/dev/null"
      case "schema.table", "table", "tables": "public.nothing"
      default: "ACORN"
      }
    }
  }

  /// Asks the program.
  static func read() async throws -> [(words: [String], parameters: [Parameter])] {
    let dump = try await CommandRun.closebell(["--experimental-dump-help"])
    return try JSONDecoder().decode(CommandTree.self, from: Data(dump.standardOutput.utf8))
      .command.leaves()
  }
}
