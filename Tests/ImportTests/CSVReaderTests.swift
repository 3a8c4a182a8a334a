import TestSupport
import Testing

@testable import Import

@Suite("A CSV file is read as RFC 4180 says")
struct CSVReaderTests {
  /// A row as it was read: its fields or what was wrong, and its line.
  struct Read: Equatable {
    var fields: [String] = []
    var problem: String?
    var field: Int?
    var line: Int
  }

  static func read(_ bytes: [UInt8], blockSize: Int = 1 << 18) throws -> [Read] {
    var reader = CSVReader(try ByteSource(.bytes(bytes)), blockSize: blockSize)
    _ = try reader.begin()
    var rows: [Read] = []
    while try reader.next() {
      if let problem = reader.problem {
        rows.append(Read(problem: problem.message, field: problem.field, line: reader.line))
      } else {
        let fields = reader.withRow { row in
          (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
        }
        rows.append(Read(fields: fields, line: reader.line))
      }
    }
    #expect(reader.offset == bytes.count)
    return rows
  }

  static func fields(_ text: String) throws -> [[String]] {
    try read(Array(text.utf8)).map(\.fields)
  }

  @Test("fields are what stands between commas, empty ones too")
  func plainFields() throws {
    #expect(
      try Self.fields("a,b,c\n1,,3\n,,\n") == [["a", "b", "c"], ["1", "", "3"], ["", "", ""]])
  }

  @Test("lines end with LF or CRLF, and the last one need not end")
  func lineEnds() throws {
    #expect(try Self.fields("a,b\r\nc,d\ne,f") == [["a", "b"], ["c", "d"], ["e", "f"]])
    #expect(try Self.fields("a,b\r") == [["a", "b"]])
    #expect(try Self.fields("") == [])
  }

  @Test("a byte order mark is passed over")
  func byteOrderMark() throws {
    #expect(try Self.fields("\u{FEFF}a,b\n1,2") == [["a", "b"], ["1", "2"]])
    #expect(try Self.fields("\u{FEFF}") == [])
  }

  @Test("quotes keep commas, line ends and doubled quotes")
  func quotedFields() throws {
    let text = "\"a,b\",\"two\r\nlines\",\"say \"\"hi\"\"\",\"\"\n\"\"\"\",x\n"
    #expect(
      try Self.fields(text) == [["a,b", "two\r\nlines", "say \"hi\"", ""], ["\"", "x"]])
  }

  @Test("an empty line is no row, an empty quoted field is one")
  func blankLines() throws {
    #expect(try Self.fields("a\n\n\r\nb\n\"\"\n\n") == [["a"], ["b"], [""]])
  }

  @Test("a row knows the line on which it begins")
  func lines() throws {
    let rows = try Self.read(Array("a\n\n\"x\ny\",1\r\nb\n".utf8))
    #expect(rows.map(\.line) == [1, 3, 5])
  }

  @Test("a broken row costs its own line only")
  func brokenRows() throws {
    let text = "a,b\nBad \"x,1\n\"Bad\"y,2\ngood,3\n"
    let rows = try Self.read(Array(text.utf8))
    #expect(
      rows.map(\.problem) == [
        nil, "a quote inside a field without quotes", "text after a closing quote", nil,
      ])
    #expect(rows.map(\.line) == [1, 2, 3, 4])
    #expect(rows[3].fields == ["good", "3"])
  }

  @Test("a quote that is never closed takes the rest of the file")
  func openQuote() throws {
    let rows = try Self.read(Array("a,b\n1,\"x\n2,y\n".utf8))
    #expect(rows.count == 2)
    #expect(rows[1] == Read(problem: "the quote is never closed", field: 1, line: 2))
  }

  @Test("a NUL byte and invalid UTF-8 are named with their field")
  func badBytes() throws {
    let text = Array("a,b\n1,x".utf8) + [0] + Array("\nCaf".utf8) + [0xE9] + Array(",2\nü,3\n".utf8)
    let rows = try Self.read(text)
    #expect(rows[1] == Read(problem: "contains a NUL byte", field: 1, line: 2))
    #expect(rows[2] == Read(problem: "is not valid UTF-8 text", field: 0, line: 3))
    #expect(rows[3].fields == ["ü", "3"])
  }

  @Test("a row longer than the limit is refused, and reading goes on behind it")
  func longRow() throws {
    let long =
      "a,\"" + String(repeating: "long\n", count: CSVReader.rowLimit / 5 + 1) + "end\nb,2\n"
    for blockSize in [4_096, 1 << 18] {
      let rows = try Self.read(Array(long.utf8), blockSize: blockSize)
      #expect(rows.first?.problem?.contains("longer than") == true)
      #expect(rows.last?.fields == ["b", "2"])
      #expect(rows.last?.line == CSVReader.rowLimit / 5 + 3)
    }
  }

  @Test("any block size gives the same rows", arguments: 0..<60)
  func blockSizes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "a", "1.5", ",", ",", "\n", "\r\n", "\"", "\"\"", "\"q,\"\"r\"", "ü", "\r", " ", "\0",
    ]
    var text: [UInt8] = []
    for _ in 0..<Int.random(in: 0..<200, using: &random) {
      text += Array((pieces.randomElement(using: &random) ?? "").utf8)
    }
    let whole = try Self.read(text)
    for blockSize in [1, 2, 3, 5, 7, 16, 63, 64] {
      #expect(try Self.read(text, blockSize: blockSize) == whole, "block size \(blockSize)")
    }
  }

  @Test("what is written by the rules is read back", arguments: 0..<40)
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("ab,\"\n\r ü1")
    var rows: [[String]] = []
    for _ in 0..<20 {
      rows.append(
        (0..<3).map { _ in
          String(
            (0..<Int.random(in: 0..<6, using: &random)).map { _ in
              alphabet.randomElement(using: &random) ?? "x"
            })
        })
    }
    let text = rows.map { row in
      row.map { "\"" + String($0.flatMap { $0 == "\"" ? "\"\"" : String($0) }) + "\"" }
        .joined(separator: ",") + "\r\n"
    }.joined()
    let block = Int.random(in: 1..<50, using: &random)
    #expect(try Self.read(Array(text.utf8), blockSize: block).map(\.fields) == rows)
  }

  @Test("the digest is SHA-256, whatever the pieces")
  func digest() throws {
    let vectors = [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ]
    for (text, expected) in vectors {
      for blockSize in [7, 64, 1 << 18] where text.utf8.count < 1_000 || blockSize > 1_000 {
        var reader = CSVReader(try ByteSource(.bytes(Array(text.utf8))), blockSize: blockSize)
        while try reader.next() {}
        #expect(hexadecimal(reader.digest()) == expected)
      }
    }
  }
}
