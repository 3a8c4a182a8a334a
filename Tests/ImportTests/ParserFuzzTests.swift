import FoundationEssentials
import TestSupport
import Testing

@testable import Import

/// The reader against a parser that is too simple to be wrong.
///
/// `CLOSEBELL_TEST_FUZZ` asks for more executions than the usual, in millions.
@Suite("Fuzzed files")
struct ParserFuzzTests {
  private static let executions: Int =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_FUZZ"].flatMap { Int($0) }
    .map { $0 * 1_000_000 } ?? 40_000

  /// A row as either parser sees it; nil fields where it breaks the rules.
  private struct Row: Equatable {
    var fields: [[UInt8]]?
    var line: Int
  }

  private static let comma = UInt8(ascii: ",")
  private static let quote = UInt8(ascii: "\"")
  private static let feed = UInt8(ascii: "\n")
  private static let carriage = UInt8(ascii: "\r")

  /// One byte after the other, by the rules of RFC 4180 as docs/import.md tells them.
  private static func plainRows(_ bytes: [UInt8]) -> [Row] {
    var rows: [Row] = []
    var (position, line) = (0, 1)
    func endsRow(_ at: Int) -> Int? {
      if at == bytes.count { return at }
      if bytes[at] == feed { return at + 1 }
      guard bytes[at] == carriage else { return nil }
      if at + 1 == bytes.count { return at + 1 }
      return bytes[at + 1] == feed ? at + 2 : nil
    }
    while position < bytes.count {
      var row = Row(fields: [], line: line)
      var isQuotedOnce = false
      while true {
        var field: [UInt8] = []
        var isBroken = false
        if position < bytes.count, bytes[position] == quote {
          isQuotedOnce = true
          position += 1
          while true {
            guard position < bytes.count else {
              isBroken = true
              break
            }
            if bytes[position] == feed { line += 1 }
            if bytes[position] == quote {
              guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
              position += 1
            }
            field.append(bytes[position])
            position += 1
          }
          if !isBroken { position += 1 }
        } else {
          while position < bytes.count, bytes[position] != comma, endsRow(position) == nil {
            if bytes[position] == quote {
              isBroken = true
              break
            }
            field.append(bytes[position])
            position += 1
          }
        }
        row.fields?.append(field)
        if !isBroken, position < bytes.count, bytes[position] == comma {
          position += 1
          continue
        }
        if !isBroken, let next = endsRow(position) {
          position = next
        } else {
          row.fields = nil
          while position < bytes.count, bytes[position] != feed { position += 1 }
          position = min(position + 1, bytes.count)
        }
        break
      }
      line += 1
      let isBlank = row.fields == [[]] && !isQuotedOnce
      if !isBlank { rows.append(row) }
    }
    return rows
  }

  private static func readRows(_ bytes: [UInt8], blockSize: Int) throws -> [Row] {
    var reader = CSVReader(try ByteSource(.bytes(bytes)), blockSize: blockSize)
    var rows: [Row] = []
    var covered = 0
    while try reader.next() {
      let fields = reader.withRow { row in (0..<row.count).map { Array(row[$0]) } }
      let isBroken =
        reader.problem != nil && reader.problem?.message != "contains a NUL byte"
        && reader.problem?.message != "is not valid UTF-8 text"
      rows.append(Row(fields: isBroken ? nil : fields, line: reader.line))
      precondition(reader.offset > covered, "every row covers something")
      covered = reader.offset
    }
    precondition(reader.offset == bytes.count, "nothing is left over")
    return rows
  }

  private static func file(_ random: inout SeededGenerator) -> [UInt8] {
    let alphabet: [UInt8] = [
      comma, comma, quote, quote, feed, feed, carriage, 32, 48, 49, 97, 98, 0, 0xC3, 0xA9, 0xFF,
    ]
    let count = Int(random.next() % 24)
    return (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
  }

  @Test("any bytes, in blocks of any size, give the rows that RFC 4180 says")
  func rows() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<Self.executions {
      let bytes = Self.file(&random)
      let blockSize = 1 + Int(random.next() % 9)
      let read = try Self.readRows(bytes, blockSize: blockSize)
      guard read == Self.plainRows(bytes) else {
        Issue.record("\(bytes) in blocks of \(blockSize): \(read) \(Self.plainRows(bytes))")
        return
      }
    }
  }

  @Test("reading on from any row gives the same rows, and the same digest")
  func checkpoints() throws {
    var random = SeededGenerator(seed: 12)
    for _ in 0..<Self.executions / 20 {
      let bytes = Self.file(&random)
      var whole = CSVReader(try ByteSource(.bytes(bytes)), blockSize: 3)
      var checkpoints: [Checkpoint] = []
      var texts: [[UInt8]] = []
      while try whole.next() {
        texts.append(Array(whole.rowText))
        checkpoints.append(
          Checkpoint(offset: whole.offset, line: whole.nextLine, digest: whole.digest()))
      }
      for (index, checkpoint) in checkpoints.enumerated() {
        var rest = CSVReader(try ByteSource(.bytes(bytes)), blockSize: 5)
        try rest.skip(to: checkpoint)
        var left: [[UInt8]] = []
        while try rest.next() { left.append(Array(rest.rowText)) }
        guard left == Array(texts.dropFirst(index + 1)), rest.digest() == whole.digest() else {
          Issue.record("\(bytes) from \(checkpoint)")
          return
        }
      }
    }
  }
}
