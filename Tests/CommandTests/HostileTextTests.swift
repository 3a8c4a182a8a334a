import Text
import TestSupport
import Testing

/// What others typed, stored or sent is read on a terminal, and commands it nothing.
@Suite struct HostileTextTests {
  private static let clears = "\u{1B}[2J\u{9B}2J\u{202E}\u{200B}\u{7F}"

  /// The characters of an output that a terminal would obey or hide.
  private static func hidden(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.filter { $0.isHidden && $0 != "\n" }
  }

  /// Whether a line of an output is one that only somebody else can have written.
  private static func isForged(_ text: String) -> Bool {
    text.unicodeScalars.split(separator: "\n").contains { line in
      let words = String(line.drop { $0 == " " })
      return words.hasPrefix("hint: forged") || words.hasPrefix("error: forged")
    } || text.contains(#""hint":"forged"#)
  }

  @Test("arguments, file names and servers' addresses are complained about, not obeyed")
  func complaints() async throws {
    let books = try await OperatorBooks.demo()
    let forged = Self.clears + "\nerror: forged\nhint: forged"
    for arguments in [
      ["show", "A" + forged, "--date", "2017-06-29"], ["import", "prices", "/tmp/" + forged],
      ["import", forged], ["status", "--" + Self.clears], ["run", "--a\(forged)\(Self.clears)=1"],
      ["imports", "rejects", "1", "--output", "/nonexistent" + forged + "/x"],
      ["repair", "equity", "--apply", "/nonexistent/" + forged],
      ["sequences", "check", forged],
      ["run", "--portfolio", forged], ["replay", "--from", forged, "--to", "2017-06-29"],
    ] {
      for format in ["text", "json"] {
        let result = try await books.run(
          arguments, environment: ["CLOSEBELL_LOG_FORMAT": format])
        #expect(result.exitCode != 0, "\(arguments)")
        let said = result.standardError
        #expect(Self.hidden(said + result.standardOutput).isEmpty, "\(arguments): \(said)")
        #expect(said.contains(#"\u001b[2J\u009b2J\u202e\u200b\u007f"#), "\(arguments): \(said)")
        #expect(!Self.isForged(said), "\(said)")
      }
    }
    let nowhere = try await CommandRun.closebell(
      ["status", "--database", "host='/nonexistent/\(Self.clears)' dbname=x"])
    #expect(nowhere.exitCode == 69)
    #expect(Self.hidden(nowhere.standardError).isEmpty)
  }

  @Test("what a file holds begins no line of a message about it")
  func fileContents() async throws {
    let books = try await OperatorBooks.demo()
    for text in [
      "date,symbol,\"close\nhint: forged\"\n2017-06-30,AAPL,1\n",
      "date,symbol,close\n\"2017\nhint: forged\",AAPL,1\n",
      "date,symbol,close\n2017-06-30,AAPL,\"1\r\nerror: forged\"\n",
    ] {
      let file = ScratchFile(text)
      for format in ["text", "json"] {
        let said = try await books.run(
          ["import", "prices", file.path], environment: ["CLOSEBELL_LOG_FORMAT": format]
        ).standardError
        #expect(said.contains("forged"))
        #expect(!Self.isForged(said), "\(said)")
      }
    }
  }

  @Test("stored notes, reasons, names and errors are shown, not obeyed, in text and as JSON")
  func stored() async throws {
    let books = try await OperatorBooks.demo()
    let text = "U&'\\001b[2J\\009b\\202e\\200b\\007f\\000aforged'"
    try await books.execute(
      """
      update closebell.holding_activity_log set note = \(text);
      update closebell.import_jobs set source = \(text), error = \(text), claimed_by = \(text);
      insert into closebell.import_results
        (job_id, row_number, line_number, field, message, row_text)
        values (1, 1, 2, null, \(text), \(text));
      """)
    try await books.expectDone(
      "lock", "--month", "2017-05", "--reason", "because \(Self.clears)\nforged")
    for arguments in [
      ["explain", "MERIDIAN", "--date", "2017-06-29"], ["imports", "list"],
      ["imports", "show", "1"], ["status"],
    ] {
      for options in [[], ["--json"]] {
        let result = try await books.run(arguments + options)
        let said = result.standardOutput
        #expect(said.contains(#"\u001b[2J"#), "\(arguments): \(said) \(result.standardError)")
        #expect(Self.hidden(said).isEmpty, "\(arguments)")
        #expect(!said.split(separator: "\n").contains("forged"), "\(arguments): \(said)")
      }
    }
  }

  @Test("names of tables, columns, calendars, fields and kinds of plans forge no line of a message")
  func names() async throws {
    let books = try await OperatorBooks.demo()
    let forged = "\nhint: forged\n\u{1B}[2Jerror: forged"
    let (name, text) = ("\"t\(forged)\"", "'t\(forged)'")
    try await books.execute(
      """
      create table public.\(name) (id serial primary key, portfolio text, date date, n int);
      alter table public.\(name) rename column n to "c\(forged)";
      insert into public.\(name) (id) values (7);
      alter table closebell.portfolios drop constraint if exists portfolios_calendar_is_known;
      update closebell.portfolios set calendar = \(text) where code = 'THAMES';
      insert into closebell.import_results
        (job_id, row_number, line_number, field, message, row_text)
        values (1, 1, 2, \(text), \(text), \(text));
      """)
    let plan = ScratchFile(#"{"kind":"x\nhint: forged\nerror: forged","digest":"0"}"#)
    for (arguments, isSaid) in [
      (["repair", "equity", "--apply", plan.path, "--yes"], true),
      (["sequences", "check"], true), (["sequences", "check", "public.\(name)"], true),
      (["sequences", "repair"], true), (["sequences", "install-trigger", "public.\(name)"], true),
      (["sequences", "remove-trigger", "public.\(name)"], true),
      (["repair", "duplicates", "public.\(name)"], true),
      (["migrate", "--adopt", "public.\(name)"], true),
      (["run", "--date", "2017-06-30"], true), (["status"], false),
      (["imports", "show", "1"], true),
      (["verify"], false), (["show", "THAMES", "--date", "2017-06-30"], false),
    ] {
      for format in ["text", "json"] {
        let result = try await books.run(arguments, environment: ["CLOSEBELL_LOG_FORMAT": format])
        let said = result.standardError + result.standardOutput
        #expect(!isSaid || format == "json" || said.contains("forged"), "\(arguments): \(said)")
        #expect(Self.hidden(said).isEmpty, "\(arguments): \(said)")
        #expect(!Self.isForged(said), "\(arguments): \(said)")
      }
    }
  }
}
