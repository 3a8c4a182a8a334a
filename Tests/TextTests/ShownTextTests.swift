import Text
import Testing

/// What strangers wrote reaches a terminal as text, and as nothing else.
@Suite struct ShownTextTests {
  @Test(
    "whatever a terminal would obey, turn round or hide is written out",
    arguments: [
      ("\u{1B}[31mred\u{1B}[0m", #"\u001b[31mred\u001b[0m"#), ("a\u{7F}b", #"a\u007fb"#),
      ("a\u{9B}2J", #"a\u009b2J"#), ("a\rb\tc\nd", #"a\rb\tc\nd"#), ("nul\0", #"nul\u0000"#),
      ("\u{202E}desrever", #"\u202edesrever"#), ("\u{2066}x\u{2069}", #"\u2066x\u2069"#),
      ("zero\u{200B}width", #"zero\u200bwidth"#), ("a\u{200D}b", #"a\u200db"#),
      ("\u{FEFF}bom", #"\ufeffbom"#), ("soft\u{AD}hyphen", #"soft\u00adhyphen"#),
      ("\u{2028}line", #"\u2028line"#), ("tag\u{E0041}", #"tag\udb40\udc41"#),
      ("Zürich, 東京, Ω, é, 👍", "Zürich, 東京, Ω, é, 👍"), (#"C:\path"#, #"C:\path"#), ("", ""),
    ])
  func writtenOut(_ text: String, _ shown: String) {
    #expect(text.shown == shown)
  }

  @Test("every control character is hidden, every letter is not")
  func every() {
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if scalar.properties.generalCategory == .control { #expect(scalar.isHidden) }
      if scalar.properties.isAlphabetic, !scalar.properties.isDefaultIgnorableCodePoint {
        #expect(!scalar.isHidden, "U+\(String(value, radix: 16))")
      }
    }
    for value in [0x202A...0x202E, 0x2066...0x2069, 0x200B...0x200F].joined() {
      #expect(Unicode.Scalar(UInt32(value))?.isHidden == true, "U+\(String(value, radix: 16))")
    }
  }

  @Test("what another program reads keeps its lines on a terminal, and nothing else")
  func data() {
    #expect("error: a\u{1B}\nhint: b\r".shownLines == "error: a\\u001b\nhint: b\\r")
  }

  @Test("a text is written line by line: whatever a line holds, it stays one")
  func lines() {
    let lines = ["a\nb", "c\r\nd\u{1B}", ""]
    #expect(lines.shownLines == "a\\nb\nc\\r\\nd\\u001b\n\n")
    #expect([["a"], [], ["b", "c"], []].paragraphs == ["a", "", "b", "c"])
  }

  @Test("JSON writes the same characters as escapes, so that its output is safe to look at")
  func json() {
    let value = JSON.object([
      ("note", .string("\u{1B}]0;x\u{7}\u{9B}\u{202E}\u{200B}\"\\\n\u{E0041}é"))
    ])
    #expect(
      value.text
        == #"{"note":"\u001b]0;x\u0007\u009b\u202e\u200b\"\\\n\udb40\udc41é"}"#)
  }
}

/// Columns are as wide as a terminal draws them.
@Suite struct DisplayWidthTests {
  @Test(
    "a text is as wide as a terminal shows it",
    arguments: [
      ("", 0), ("ACME", 4), ("Zürich", 6), ("Zu\u{308}rich", 6), ("東京", 4), ("ﾄｳｷｮｳ", 5),
      ("トウキョウ", 10), ("한국", 4), ("\u{1112}\u{1161}\u{11AB}", 2), ("＝", 2), ("…–·", 3),
      ("👍", 2), ("👍🏽", 2), ("🇩🇪", 2), ("👩‍👩‍👧", 2), ("a\u{300}\u{301}\u{302}", 1), ("Ω→∑", 3),
      ("ก็", 1), ("नि", 1), ("①", 1), ("𠀀", 2),
    ])
  func widths(_ text: String, _ width: Int) {
    #expect(text.displayWidth == width)
  }

  @Test("the columns of a table stand below one another whatever their cells hold")
  func table() {
    var table = TextTable([("name", .left), ("amount", .right)])
    table.add(["東京", "1"])
    table.add(["Zu\u{308}rich", "20"])
    table.add(["a\u{1B}b\nc", "3"])
    let lines = table.lines
    #expect(lines.count == 5, "a cell never makes a line of its own")
    #expect(Set(lines.map(\.displayWidth)).count == 1, "\n\(lines.shownLines)")
    #expect(lines.last == #"a\u001bb\nc       3"#)
  }
}

/// Series for spreadsheets, which calculate what looks like a formula.
@Suite struct CellTests {
  @Test(
    "no text that is exported begins like a formula",
    arguments: [
      "=1+1", "+0x1p3", "-inf", "+nan", "-infinity", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1",
      "＋1", "－1", "＠x", "+", "-", "+1+1", "-1e", "-.", "--1", "+1 2", "-1,5", "=", "+1_0", "+٣",
    ])
  func formulas(_ text: String) {
    #expect(CSV.defused(text) == "'" + text)
  }

  @Test(
    "a plain number and an ordinary text stay as they are",
    arguments: [
      "-1", "+1", "-1.50", "-.5", "+2.", "-1e5", "+1.5E-7", "ACME", "A=B", "1-1", "", " =1", "'=1",
      "0x10", "inf",
    ])
  func plain(_ text: String) {
    #expect(CSV.defused(text) == text)
  }

  @Test("quotes stand where CSV asks for them")
  func quotes() {
    #expect(Cell.text("a,\"b\"\n").csv == "\"a,\"\"b\"\"\n\"")
    #expect(Cell.text("=a,b").csv == "\"'=a,b\"")
    #expect(Cell.text("\ta").csv == "\"'\ta\"")
  }

  @Test("numbers and truth are such in JSON, money is a string, and nothing is null")
  func json() {
    let cells: [Cell] = [.text("=A"), .exact("-1.5000"), .number(0.25), .bool(true), .none]
    #expect(cells.map(\.json.text) == [#""=A""#, #""-1.5000""#, "0.25", "true", "null"])
    #expect(cells.map(\.csv) == ["'=A", "-1.5000", "0.25", "true", ""])
    #expect(Cell.number(.nan).json.text == "null")
  }
}
