import Text

/// How the text of a setting is read, strictly: it is what was meant, or it is refused.
package struct Reading<Value: Sendable>: Sendable {
  /// What is taken, as in `takes a whole number from 1 to 64`.
  package let takes: String
  /// The same by example, for somebody who was refused.
  package var example = ""
  /// Whether the text is a secret, of which nothing may be shown.
  package var isSecret = false
  /// The value; nil where the text is none.
  package let read: @Sendable (String) -> Value?

  /// `takes a whole number from 1 to 64, not 'abc'`.
  package func objection(to text: String) -> String {
    isSecret ? "takes \(takes)" : "takes \(takes)\(example), not \(Quoted.short(text))"
  }

  /// The same text, read as something that is made of the value.
  package func map<Made: Sendable>(_ make: @escaping @Sendable (Value) -> Made) -> Reading<Made> {
    Reading<Made>(takes: takes, example: example, isSecret: isSecret) { read($0).map(make) }
  }
}

extension Reading where Value == Int {
  /// A whole number in decimal digits.
  package static func whole(_ range: ClosedRange<Int>) -> Reading {
    Reading(takes: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
        return nil
      }
      return Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension Reading where Value == TimeSpan {
  /// A duration; a number without a unit is one of seconds.
  ///
  /// - Parameter zero: What 0 means, where it is taken beside the range.
  package static func duration(_ range: ClosedRange<TimeSpan>, zero: String? = nil) -> Reading {
    let meaning = zero.map { ", or 0 for \($0)" } ?? ""
    let takes = "a duration from \(range.lowerBound) to \(range.upperBound)\(meaning)"
    let example = ", such as 90s, 2m or 1h30m (without a unit: seconds)"
    return Reading(takes: takes, example: example) { text in
      guard let span = TimeSpan(text) else { return nil }
      if zero != nil, span.milliseconds == 0 { return span }
      return range.contains(span) ? span : nil
    }
  }
}

extension Reading where Value == ByteCount {
  /// A number of bytes.
  package static var bytes: Reading {
    Reading(takes: "a number of bytes such as 2000000, 500M or 2G") { ByteCount($0) }
  }
}

extension Reading where Value == String {
  /// Any text.
  package static func text(_ takes: String) -> Reading { Reading(takes: takes) { $0 } }

  /// A path that means the same wherever a command is started.
  static func wholePath(_ takes: String) -> Reading {
    Reading(takes: takes, example: ", such as /srv/books") { $0.hasPrefix("/") ? $0 : nil }
  }
}

extension Reading where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of a few words.
  package static var word: Reading {
    Reading(takes: Value.allCases.map(\.rawValue).joined(separator: " or ")) { Value(rawValue: $0) }
  }
}
