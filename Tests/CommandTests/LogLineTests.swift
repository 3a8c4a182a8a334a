import Foundation
import Problems
import Testing
import Text

@testable import closebell
@testable import Console

/// The one door for what is said on standard error: whatever stands in its parts.
@Suite("A message is as many lines as it has parts")
struct LogLineTests {
  private static let hostile = [
    "x\u{1B}[2J\nhint: forged\nerror: forged", "x\r\nhint: forged\r\ndetail: forged",
    "\u{202E}\u{200B}\u{7F}\u{9B}2J\rhint: forged", "error: \nwarning: forged", "\n\n",
    "\u{2028}hint: forged",
  ]

  private static func lines(with text: String) -> [LogLine] {
    let problem = StatedProblem(
      ProblemCode("foreseen", .busy), text, headline: text, details: [text, text], quoting: text,
      remedy: "\(text) \(.run(portfolio: text))", sqlState: "0\n1")
    var kept = LogLine(.error, text)
    kept.keepsLines = true
    return [
      LogLine(problem), LogLine(problem, about: text), LogLine(problem, level: .warning),
      LogLine(.error, text, hint: text), LogLine(.more, "hint: \(text)"), kept,
    ]
  }

  @Test(
    "no part of it begins a line that it was not given, nor commands a terminal", arguments: hostile
  )
  func text(_ hostile: String) {
    for line in Self.lines(with: hostile) {
      let said = line.lines.shownLines
      #expect(!said.unicodeScalars.contains { $0.isHidden && $0 != "\n" }, "\(said)")
      let lines = said.split(separator: "\n", omittingEmptySubsequences: true)
      #expect(lines.count { $0.hasPrefix("hint: ") } <= 1, "\(said)")
      #expect(!lines.contains { $0.hasPrefix("hint: forged") }, "\(said)")
      #expect(
        lines.dropFirst().allSatisfy {
          $0.hasPrefix("detail: ") || $0.hasPrefix("hint: ") || $0.hasPrefix("  ")
        }, "\(said)")
    }
  }

  @Test("as JSON it is one line, and no member is there twice", arguments: hostile)
  func json(_ hostile: String) throws {
    for line in Self.lines(with: hostile) {
      let text = line.json(at: "2017-06-30T00:00:00.000Z")
      #expect(!text.unicodeScalars.contains { $0.isHidden }, "\(text)")
      for name in ["ts", "level", "message", "detail", "hint", "sqlstate", "code"] {
        #expect(text.ranges(of: "\"\(name)\":").count <= 1, "\(text)")
      }
      _ = try JSONSerialization.jsonObject(with: Data(text.utf8))
    }
  }
}
