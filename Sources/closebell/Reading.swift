import ArgumentParser
import Text

/// How the text of a setting is read, strictly: it is what was meant, or it is refused.
struct Reading<Value: Sendable>: Sendable {
  /// What is taken, as in `takes a whole number from 1 to 64`.
  let takes: String
  /// The same by example, for somebody who was refused.
  var example = ""
  /// Whether the text is a secret, of which nothing may be shown.
  var isSecret = false
  /// The value; nil where the text is none.
  let read: @Sendable (String) -> Value?

  /// `takes a whole number from 1 to 64, not 'abc'`.
  func objection(to text: String) -> String {
    isSecret ? "takes \(takes)" : "takes \(takes)\(example), not \(Quoted.short(text))"
  }

  /// The same text, read as something that is made of the value.
  func map<Made: Sendable>(_ make: @escaping @Sendable (Value) -> Made) -> Reading<Made> {
    Reading<Made>(takes: takes, example: example, isSecret: isSecret) { read($0).map(make) }
  }

  /// Reads what follows an option.
  ///
  /// - Throws: `ValidationError`, which the parser puts behind the option's name.
  func argument(_ text: String) throws -> Value {
    guard let value = read(text) else { throw ValidationError("it takes \(takes)\(example)") }
    return value
  }
}

extension Reading where Value == Int {
  /// A whole number in decimal digits.
  static func whole(_ range: ClosedRange<Int>) -> Reading {
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
  static func duration(_ range: ClosedRange<TimeSpan>, zero: String? = nil) -> Reading {
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
  static var bytes: Reading {
    Reading(takes: "a number of bytes such as 2000000, 500M or 2G") { ByteCount($0) }
  }
}

extension Reading where Value == String {
  /// Any text.
  static func text(_ takes: String) -> Reading { Reading(takes: takes) { $0 } }

  /// A path that means the same wherever a command is started.
  static func wholePath(_ takes: String) -> Reading {
    Reading(takes: takes, example: ", such as /srv/books") { $0.hasPrefix("/") ? $0 : nil }
  }
}

extension Reading where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of a few words.
  static var word: Reading {
    Reading(takes: Value.allCases.map(\.rawValue).joined(separator: " or ")) { Value(rawValue: $0) }
  }
}

/// A length of time to the millisecond: `90`, `90s`, `2m`, `1h30m`, `500ms`, `1.5h`.
struct TimeSpan: Comparable, Sendable, CustomStringConvertible {
  /// Never negative, and no more than a hundred years.
  let milliseconds: Int

  /// Seconds, as the server and the clock take them.
  var seconds: Double { Double(milliseconds) / 1_000 }

  /// Seconds, the last one begun counting whole.
  var wholeSeconds: Int { (milliseconds + 999) / 1_000 }

  /// The longest that is read: a hundred years.
  static let longest = TimeSpan(milliseconds: 36_500 * 86_400_000)

  private static let units: [(name: String, milliseconds: Int)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]

  init(milliseconds: Int) { self.milliseconds = milliseconds }

  /// So many seconds.
  init(seconds: Int) { self.init(milliseconds: seconds * 1_000) }

  /// Reads numbers with their units, the larger unit first; one number without a unit is seconds.
  ///
  /// Nothing is rounded: what is finer than a millisecond is refused.
  init?(_ text: String) {
    var rest = text.utf8[...]
    var total = 0
    var unitsLeft = Self.units[...]
    repeat {
      let number = rest.prefix { !Self.isLetter($0) }
      let name = rest.dropFirst(number.count).prefix(while: Self.isLetter)
      rest = rest.dropFirst(number.count + name.count)
      let isAlone = name.isEmpty && rest.isEmpty && unitsLeft.count == Self.units.count
      let word =
        isAlone ? "s" : name.elementsEqual("min".utf8) ? "m" : String(decoding: name, as: UTF8.self)
      guard let unit = unitsLeft.firstIndex(where: { $0.name == word }),
        let part = Self.product(number, unitsLeft[unit].milliseconds)
      else { return nil }
      total += part
      unitsLeft = unitsLeft[(unit + 1)...]
      guard total <= Self.longest.milliseconds else { return nil }
    } while !rest.isEmpty
    milliseconds = total
  }

  /// Digits with at most one point among them, times a unit; nil beyond the longest, or where it is
  /// no whole number of milliseconds.
  private static func product(_ number: Substring.UTF8View, _ unit: Int) -> Int? {
    let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first.flatMap(digits), whole <= longest.milliseconds
    else { return nil }
    var result = whole.multipliedReportingOverflow(by: unit)
    if parts.count == 2 {
      guard parts[1].count <= 9, let fraction = digits(parts[1]) else { return nil }
      let scale = (0..<parts[1].count).reduce(1) { power, _ in power * 10 }
      let (units, rest) = (fraction * unit).quotientAndRemainder(dividingBy: scale)
      guard rest == 0 else { return nil }
      result.partialValue &+= units
    }
    guard !result.overflow, result.partialValue <= longest.milliseconds else { return nil }
    return result.partialValue
  }

  private static func digits(_ text: Substring.UTF8View) -> Int? {
    guard text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return Int(String(decoding: text, as: UTF8.self))
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }

  /// In the largest units that leave nothing over: `2m`, `1h30m`.
  var description: String {
    var (text, rest) = ("", milliseconds)
    for unit in Self.units where rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return text.isEmpty ? "0s" : text
  }

  static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.milliseconds < right.milliseconds }
}

/// A number of bytes: `2000000`, `500M`, `2G`.
struct ByteCount: Equatable, Sendable {
  let bytes: Int

  init?(_ text: String) {
    let units: [Character: Int] = [
      "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "k": 1 << 10, "m": 1 << 20,
      "g": 1 << 30, "t": 1 << 40,
    ]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(digits)
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
    guard !overflow else { return nil }
    bytes = product
  }
}

/// Text of strangers within a message: short, on one line, and harmless on a terminal.
enum Quoted {
  /// At most so many characters are shown.
  private static let most = 60

  /// `'text'`, with what a terminal would obey written out.
  static func short(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let start = String(String.UnicodeScalarView(scalars.prefix(most)))
    return "'\(start.shown)\(scalars.count > most ? "…" : "")'"
  }
}
