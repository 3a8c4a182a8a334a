internal import Accounting
internal import Postgres
internal import Problems

/// Why a row is refused.
struct RowRefusal: Error, Hashable {
  /// The column at fault; nil where it is the row as a whole.
  var field: String?
  /// What is wrong, in one line.
  let message: String
  /// The portfolio or the symbol that was not found, which somebody may have added meanwhile.
  var unknown: UnknownName?
  /// What would help this row and others like it.
  var advice: Advice?

  init(field: String?, message: String, unknown: UnknownName? = nil, advice: Advice? = nil) {
    self.field = field
    self.message = message.onOneLine
    self.unknown = unknown
    self.advice = advice
  }
}

/// A name of a row that the books do not have.
enum UnknownName: Hashable {
  case portfolio
  /// A symbol, and the currency that its row is in, if it says so.
  case symbol(ExactText, currency: String?)
}

/// What would help rows that are refused for one reason: said once a file, not once a row.
struct Advice: Hashable, Sendable {
  /// The same for all that say the same.
  let key: String
  /// In one line.
  let text: String

  init(key: String, _ text: String) {
    self.key = key
    self.text = text.onOneLine
  }
}

/// The cells of a row by column, read as what they must be.
///
/// Surrounding spaces do not count. A cell that is empty and one whose column the file leaves out
/// are both nil; `Header.has` tells them apart.
struct Cells {
  let fields: RowFields
  let header: Header

  /// The bytes of a cell; nil where it is empty or there is no such column.
  @inline(__always)
  func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
    guard let cell = raw(column)?.withoutSpaces else { return nil }
    return cell.isEmpty ? nil : cell
  }

  @inline(__always)
  private func raw(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
    if let position = header.positions[column] { return fields[position] }
    guard !header.constants.isEmpty else { return nil }
    return header.constants[column]?.bytes
  }

  /// The text of a column by its name, where the kind has it and the row says something.
  func text(_ name: String) -> String? {
    guard let column = header.rules.firstIndex(where: { $0.name == name }),
      let cell = bytes(column)
    else { return nil }
    return String(decoding: cell.prefix(Self.nameLimit), as: UTF8.self)
  }

  /// A refusal that names the column.
  func refuse(_ column: Int, _ message: String) -> RowRefusal {
    RowRefusal(field: header.rules[column].name, message: message)
  }

  /// A refusal that names the column and quotes its cell.
  func refuse(quoting column: Int, _ message: String) -> RowRefusal {
    let cell = bytes(column).map { String(decoding: $0.prefix(60), as: UTF8.self) } ?? ""
    return refuse(column, "'\(cell)' \(message)")
  }

  private func required(_ column: Int) throws(RowRefusal) -> UnsafeBufferPointer<UInt8> {
    guard let cell = bytes(column) else { throw refuse(column, "a value is required") }
    return cell
  }

  // MARK: text

  /// The most bytes of a code, a symbol or an id: they are keys of indexes.
  static let nameLimit = 200

  /// A text of at most `limit` bytes.
  func text(_ column: Int, limit: Int) throws(RowRefusal) -> String? {
    guard let cell = bytes(column) else { return nil }
    guard cell.count <= limit else { throw refuse(column, "is longer than \(limit) bytes") }
    return String(decoding: cell, as: UTF8.self)
  }

  /// A text of at most `limit` bytes that must be there.
  func requiredText(_ column: Int, limit: Int) throws(RowRefusal) -> String {
    _ = try required(column)
    return try text(column, limit: limit) ?? ""
  }

  /// A key that a source gave: no character within that nobody sees.
  func id(_ column: Int) throws(RowRefusal) -> String {
    let id = try requiredText(column, limit: Self.nameLimit)
    if let unseen = id.firstUnseenCharacter {
      throw refuse(
        column, "contains \(unseen.codePoint), a control character or one that is not shown")
    }
    return id
  }

  /// A word that other rows refer to: no white space within, nor what nobody sees.
  func name(_ column: Int) throws(RowRefusal) -> String {
    let name = try id(column)
    guard !name.unicodeScalars.contains(where: \.properties.isWhitespace) else {
      throw refuse(quoting: column, "contains white space")
    }
    return name
  }

  /// One of a closed set of words.
  ///
  /// Its case does not count, and it may be one of the file's own that was said to mean it.
  func word<Word: RawRepresentable & CaseIterable>(
    _ column: Int, of _: Word.Type = Word.self
  ) throws(RowRefusal) -> Word? where Word.RawValue == String {
    guard let cell = bytes(column) else { return nil }
    let text = String(decoding: cell.prefix(64), as: UTF8.self)
    if !header.notation.hasWords, let word = Word(rawValue: text) { return word }
    let meaning = (header.notation.meaning(text) ?? text).lowercased()
    if let word = Word.allCases.first(where: { $0.rawValue == meaning }) { return word }
    throw refuse(column, noneOf: Word.allCases.map(\.rawValue))
  }

  /// So many words are listed with each row that has none of them.
  private static let listedWords = 8

  /// A refusal of a word; what could stand there is said once where that is much.
  private func refuse(_ column: Int, noneOf words: [String]) -> RowRefusal {
    let (name, list) = (header.rules[column].name, words.joined(separator: " "))
    let cell = bytes(column).map { String(decoding: $0.prefix(60), as: UTF8.self) } ?? ""
    let isShort = words.count <= Self.listedWords
    let meaning = header.notation.meaning(cell).map { ", which was said to mean '\($0)'," } ?? ""
    var refusal = refuse(
      column,
      "'\(cell)'\(meaning) " + (isShort ? "is none of: \(list)" : "is no \(name) that there is"))
    refusal.advice = Advice(
      key: "word \(name)",
      (isShort ? "" : "\(name) is one of: \(list); ")
        + "--word says what another means: --word \(Action.quoted("\(cell)=…"))")
    return refusal
  }

  /// One of a closed set of words, which must be there.
  func requiredWord<Word: RawRepresentable & CaseIterable>(
    _ column: Int, of type: Word.Type = Word.self
  ) throws(RowRefusal) -> Word where Word.RawValue == String {
    _ = try required(column)
    guard let word = try word(column, of: type) else { throw refuse(column, "a value is required") }
    return word
  }

  /// A calendar that there are rules for.
  func calendar(_ column: Int) throws(RowRefusal) -> String? {
    guard let name = try text(column, limit: Self.nameLimit) else { return nil }
    if BusinessCalendar.names.contains(where: name.isExactly) { return name }
    let meaning = (header.notation.meaning(name) ?? name).lowercased()
    guard let known = BusinessCalendar.names.first(where: { $0.lowercased() == meaning }) else {
      throw refuse(quoting: column, "is none of: \(BusinessCalendar.listing)")
    }
    return known
  }

  /// A calendar that there are rules for, which must be there.
  func requiredCalendar(_ column: Int) throws(RowRefusal) -> String {
    _ = try required(column)
    guard let name = try calendar(column) else { throw refuse(column, "a value is required") }
    return name
  }

  // MARK: dates and currencies

  /// A date; a time may stand behind it.
  func day(_ column: Int) throws(RowRefusal) -> Day? {
    guard let cell = bytes(column) else { return nil }
    let notation = header.notation
    if notation.dateFormat == nil, let day = Day(iso: cell) { return day }
    if let day = notation.day(cell) { return day }
    let pattern = notation.dateFormat?.pattern ?? "YYYY-MM-DD"
    var refusal = refuse(
      quoting: column, "is not a date \(pattern) from \(Day.earliest) to \(Day.latest)")
    refusal.advice = Advice(
      key: "date", "--date-format says how dates are written, such as DD.MM.YYYY or MM/DD/YYYY")
    throw refusal
  }

  /// A date that must be there.
  func requiredDay(_ column: Int) throws(RowRefusal) -> Day {
    _ = try required(column)
    guard let day = try day(column) else { throw refuse(column, "a value is required") }
    return day
  }

  /// A currency, and whether amounts are in its hundredths: `GBX` is pence.
  func currency(_ column: Int) throws(RowRefusal) -> Denomination? {
    guard let cell = bytes(column) else { return nil }
    guard let currency = Currency(utf8: cell) else {
      throw refuse(quoting: column, "is not a currency: three capital letters")
    }
    return Denomination(code: currency)
  }

  /// A currency that books or instruments are kept in, which must be there.
  func bookCurrency(_ column: Int) throws(RowRefusal) -> Currency {
    _ = try required(column)
    guard let found = try currency(column), !found.isPence else {
      throw refuse(column, "GBX is pence; write GBP")
    }
    return found.currency
  }
}

/// What an amount of a file is in.
struct Denomination: Equatable {
  /// The currency.
  let currency: Currency
  /// Whether amounts are in hundredths of it.
  let isPence: Bool

  private static let pence = Currency("GBX")
  private static let pounds = Currency("GBP")

  /// What a currency code means; `GBX` is pence.
  init(code: Currency) {
    isPence = code == Self.pence
    currency = isPence ? Self.pounds ?? code : code
  }
}
