/// A time of day that stands behind a date: it is looked at, and does not count.
struct WrittenTime {
  /// Whether it says no more than the date: midnight, in no zone.
  let isMidnight: Bool

  /// Reads `T09:30`, ` 16:00:00-05:00`, `;101530`, `, 4:05 PM`, `T07:00:00.001Z`, ` 09:30 EST`.
  ///
  /// - Returns: nil for anything else.
  init?(_ cell: UnsafeBufferPointer<UInt8>) {
    var text = cell[...]
    guard Self.takeSeparator(&text), let clock = Self.takeClock(&text) else { return nil }
    Self.takeSpaces(&text)
    var hour = clock.hour
    if let isAfternoon = Self.takeHalf(&text) {
      guard (1...12).contains(hour) else { return nil }
      hour = hour % 12 + (isAfternoon ? 12 : 0)
      Self.takeSpaces(&text)
    }
    guard hour < 24, Self.isZone(text) else { return nil }
    isMidnight = hour == 0 && !clock.isPastTheHour && text.isEmpty
  }

  private typealias Text = Slice<UnsafeBufferPointer<UInt8>>

  private static func takeSpaces(_ text: inout Text) {
    while text.first == UInt8(ascii: " ") { text = text.dropFirst() }
  }

  private static func takeSeparator(_ text: inout Text) -> Bool {
    guard let first = text.first else { return false }
    switch first {
    case UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: ";"): text = text.dropFirst()
    case UInt8(ascii: ","):
      text = text.dropFirst()
      takeSpaces(&text)
    case UInt8(ascii: " "): takeSpaces(&text)
    default: return false
    }
    return true
  }

  /// `AM` or `PM`, as whole words.
  private static func takeHalf(_ text: inout Text) -> Bool? {
    let letters = text.prefix(3).map { $0 | 0x20 }
    guard letters.count > 1, letters[1] == UInt8(ascii: "m"), letters.count == 2 || letters[2] == 32
    else { return nil }
    guard letters[0] == UInt8(ascii: "a") || letters[0] == UInt8(ascii: "p") else { return nil }
    text = text.dropFirst(2)
    return letters[0] == UInt8(ascii: "p")
  }

  private static func takeDigits(_ text: inout Text, _ counts: ClosedRange<Int>) -> Int? {
    var (number, count) = (0, 0)
    while count < counts.upperBound, let byte = text.first, (48...57).contains(byte) {
      number = number * 10 + Int(byte) - 48
      count += 1
      text = text.dropFirst()
    }
    return counts.contains(count) ? number : nil
  }

  /// Hours, minutes and perhaps seconds, with colons between or nothing.
  private static func takeClock(_ text: inout Text) -> (hour: Int, isPastTheHour: Bool)? {
    guard let hour = takeDigits(&text, 1...2) else { return nil }
    let hasColons = text.first == UInt8(ascii: ":")
    if hasColons { text = text.dropFirst() }
    guard let minute = takeDigits(&text, 2...2), minute < 60 else { return nil }
    var isPast = minute > 0
    var hasSeconds = !hasColons && text.first.map { (48...57).contains($0) } == true
    if hasColons, text.first == UInt8(ascii: ":") {
      text = text.dropFirst()
      hasSeconds = true
    }
    guard hasSeconds else { return (hour, isPast) }
    guard let second = takeDigits(&text, 2...2), second < 61 else { return nil }
    isPast = isPast || second > 0
    if let point = text.first, point == UInt8(ascii: ".") || point == UInt8(ascii: ",") {
      text = text.dropFirst()
      guard let fraction = takeDigits(&text, 1...12) else { return nil }
      isPast = isPast || fraction > 0
    }
    return (hour, isPast)
  }

  /// Nothing, `Z`, `+01:00`, `-0500`, a name such as `EST` or `Europe/Berlin`, or an offset with
  /// the name in brackets behind it.
  private static func isZone(_ zone: Text) -> Bool {
    var text = zone
    if let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      text = text.dropFirst()
      guard takeDigits(&text, 2...2) != nil else { return false }
      if text.first == UInt8(ascii: ":") { text = text.dropFirst() }
      if text.first.map({ (48...57).contains($0) }) == true, takeDigits(&text, 2...2) == nil {
        return false
      }
      guard let bracket = text.first else { return true }
      guard bracket == UInt8(ascii: "[") else { return false }
    }
    return text.count <= 40
      && text.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "["), UInt8(ascii: "]"):
          true
        default: false
        }
      }
  }
}
