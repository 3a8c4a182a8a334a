import Foundation
import Operations
import Presentation
import Testing
import Text

/// How each result is told to a reader.
private struct Told: Sendable, CustomTestStringConvertible {
  let name: String
  let lines: @Sendable (Data) throws -> [String]

  init<Result: Decodable & Sendable>(
    _ name: String, _ tell: @escaping @Sendable (Result) -> [String]
  ) {
    self.name = name
    lines = { tell(try JSONDecoder().decode(Result.self, from: $0)) }
  }

  var testDescription: String { name }

  static let all = [
    Told("snapshot") { SnapshotText($0).lines }, Told("coverage") { CoverageText($0).lines },
    Told("run") { RunText($0, verb: "closed").lines },
    Told("replay-preview") { ReplayPreviewText($0).lines },
    Told("verification") { VerifyText($0, listsAll: true).lines },
    Told("refused-import") { ImportText($0).lines }, Told("dry-import") { ImportText($0).lines },
    Told("cancelled-import") { PastImportText($0).lines },
    Told("imports") { ImportListText($0).lines },
    Told("month-locked") { (result: MonthLocked) in result.lines },
    Told("month-unlocked") { (result: MonthUnlocked) in result.lines },
    Told("repair") { RepairText($0).lines },
    Told("migrations") { (result: MigrationList) in result.lines },
    Told("adoption") { (result: AdoptionResult) in result.lines },
    Told("sequence-repair") { (result: SequenceRepairResult) in result.lines },
    Told("triggers") { (result: [String: [TriggerResult]]) in
      result.flatMap { TriggersText($0.value, verb: $0.key).lines }
    },
  ]
}

@Suite("Whatever is stored, a result commands a terminal nothing and forges no message")
struct HostileResultTests {
  private static let forged = "x\u{1B}[2J\u{202E}\r\nhint: forged\nerror: forged"

  @Test("each text of each result is told on a line of ours", arguments: Told.all)
  private func told(_ told: Told) throws {
    let data = try Data(contentsOf: URL(filePath: GoldenFile.folder + told.name + ".json"))
    let result = try JSONSerialization.jsonObject(with: data)
    var count = 0
    for place in 0..<Self.texts(in: result) {
      var left = place
      let hostile = Self.replacing(&left, in: result)
      // What is no free text, such as a date, does not take this one.
      guard
        let lines = try? told.lines(
          JSONSerialization.data(withJSONObject: hostile, options: .fragmentsAllowed))
      else { continue }
      let text = lines.shownLines
      count += text.contains("forged") ? 1 : 0
      #expect(!text.unicodeScalars.contains { $0.isHidden && $0 != "\n" }, "\(text)")
      for line in text.split(separator: "\n") {
        #expect(!line.hasPrefix("hint: forged") && !line.hasPrefix("error: "), "\(text)")
      }
    }
    // These have nothing but numbers, dates and words of ours.
    let isOurs = ["run", "repair", "month-locked", "month-unlocked"].contains(told.name)
    #expect(count > 0 || isOurs, "nothing of it was ever hostile")
  }

  private static func texts(in value: Any) -> Int {
    switch value {
    case let object as [String: Any]: object.values.reduce(0) { $0 + texts(in: $1) }
    case let array as [Any]: array.reduce(0) { $0 + texts(in: $1) }
    default: value is String ? 1 : 0
    }
  }

  /// The value with its text of that number replaced, in the order of sorted names.
  private static func replacing(_ place: inout Int, in value: Any) -> Any {
    switch value {
    case let object as [String: Any]:
      var changed = object
      for name in object.keys.sorted() {
        if let member = object[name] { changed[name] = replacing(&place, in: member) }
      }
      return changed
    case let array as [Any]: return array.map { replacing(&place, in: $0) }
    default:
      guard value is String else { return value }
      defer { place -= 1 }
      return place == 0 ? forged : value
    }
  }
}
