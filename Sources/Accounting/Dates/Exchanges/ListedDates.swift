/// Dates written out, as in `2018: 03-01@12:28 03-02 2019: 04-09`, ascending.
struct ListedDates: Sendable {
  /// A date, and the minutes after midnight behind its `@`, if there are any.
  typealias Entry = (day: Day, minutes: Int?)

  let entries: [Entry]

  /// The text is the program's own: a slip in it stops the tests, and no user can make one.
  init(_ text: StaticString) {
    var entries: [Entry] = []
    var year = 0
    var number = 0
    var fields: [Int] = []
    func endOfWord() {
      fields.append(number)
      number = 0
      if fields.count >= 2 {
        let day = Day(year: year, month: fields[0], day: fields[1])
        entries.append((day, fields.count == 4 ? fields[2] * 60 + fields[3] : nil))
      }
      fields = []
    }
    text.withUTF8Buffer { bytes in
      for (index, byte) in bytes.enumerated() {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
          number = number * 10 + Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: ":") where fields.isEmpty:
          (year, number) = (number, 0)
        case UInt8(ascii: " "):
          if bytes[index - 1] != UInt8(ascii: ":") { endOfWord() }
        default:
          fields.append(number)
          number = 0
        }
      }
      if !bytes.isEmpty { endOfWord() }
    }
    self.entries = entries
  }

  /// The dates of a year.
  func dates(in year: Int) -> [Day] {
    entries.filter { $0.day.year == year }.map(\.day)
  }
}
