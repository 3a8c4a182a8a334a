/// A length of time to the millisecond: `90`, `90s`, `2m`, `1h30m`, `500ms`, `1.5h`.
package struct TimeSpan: Comparable, Sendable, CustomStringConvertible {
  /// Never negative, and no more than a hundred years.
  package let milliseconds: Int

  /// Seconds, as the server and the clock take them.
  package var seconds: Double { Double(milliseconds) / 1_000 }

  /// Seconds, the last one begun counting whole.
  package var wholeSeconds: Int { (milliseconds + 999) / 1_000 }

  /// The longest that is read: a hundred years.
  package static let longest = TimeSpan(milliseconds: 36_500 * 86_400_000)

  private static let units: [(name: String, milliseconds: Int)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]

  package init(milliseconds: Int) { self.milliseconds = milliseconds }

  /// So many seconds.
  package init(seconds: Int) { self.init(milliseconds: seconds * 1_000) }

  /// Reads numbers with their units, the larger unit first; one number without a unit is seconds.
  ///
  /// Nothing is rounded: what is finer than a millisecond is refused.
  package init?(_ text: String) {
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
  package var description: String {
    var (text, rest) = ("", milliseconds)
    for unit in Self.units where rest >= unit.milliseconds {
      text += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return text.isEmpty ? "0s" : text
  }

  package static func < (left: TimeSpan, right: TimeSpan) -> Bool {
    left.milliseconds < right.milliseconds
  }
}

/// A number of bytes: `2000000`, `500M`, `2G`.
package struct ByteCount: Equatable, Sendable {
  package let bytes: Int

  package init?(_ text: String) {
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
