internal import Accounting

/// How a file writes dates: `Y`, `M` and `D` for the digits, anything else as it stands.
package struct DateFormat: Hashable, Sendable {
  /// For example `DD.MM.YYYY`.
  package let pattern: String
  private let letters: [UInt8]

  /// How many bytes a date has.
  var byteCount: Int { letters.count }

  /// A pattern with four `Y`, two `M` and two `D`, each group in one piece.
  ///
  /// - Returns: nil for any other text.
  package init?(_ pattern: String) {
    let letters = Array(pattern.utf8)
    for (letter, count) in [("YYYY", 4), ("MM", 2), ("DD", 2)] {
      guard pattern.ranges(of: letter).count == 1,
        letters.count(where: { $0 == letter.utf8.first }) == count
      else { return nil }
    }
    guard letters.allSatisfy({ !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    self.pattern = pattern
    self.letters = letters
  }

  /// Reads a date; nil where it is written another way or is none.
  func day(_ cell: UnsafeBufferPointer<UInt8>) -> Day? {
    guard cell.count == letters.count else { return nil }
    var (year, month, day) = (0, 0, 0)
    for (letter, byte) in zip(letters, cell) {
      let digit = Int(byte) - 48
      switch letter {
      case UInt8(ascii: "Y"): year = year * 10 + digit
      case UInt8(ascii: "M"): month = month * 10 + digit
      case UInt8(ascii: "D"): day = day * 10 + digit
      default:
        guard byte == letter else { return nil }
        continue
      }
      guard (0...9).contains(digit) else { return nil }
    }
    func digits(_ number: Int, _ count: Int) -> String {
      String(repeating: "0", count: max(0, count - String(number).count)) + String(number)
    }
    return Day("\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))")
  }
}
