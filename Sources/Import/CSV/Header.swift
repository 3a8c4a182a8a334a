internal import Accounting
internal import Problems

/// A column that a kind of file may have.
struct ColumnRule: Sendable {
  let name: String
  let isRequired: Bool
  /// Whether its cells are numbers.
  var isNumber = false
  /// Whether its cells are words of a closed set.
  var isWord = false

  /// A column that every file of the kind has.
  static func required(_ name: String) -> ColumnRule { ColumnRule(name: name, isRequired: true) }

  /// A column that a file may leave out.
  static func optional(_ name: String) -> ColumnRule { ColumnRule(name: name, isRequired: false) }

  /// The same, of numbers.
  var number: ColumnRule { ColumnRule(name: name, isRequired: isRequired, isNumber: true) }

  /// The same, of words of a closed set.
  var word: ColumnRule { ColumnRule(name: name, isRequired: isRequired, isWord: true) }
}

/// Where in a row each column of a kind stands.
struct Header: Sendable {
  /// The kind's columns.
  let rules: [ColumnRule]
  /// The number of the field for each of `rules`; nil where the file leaves the column out.
  private(set) var positions: [Int?]
  /// How many fields each row must have.
  let fieldCount: Int
  /// Cells that are the same in every row, for columns that the file does not have.
  private(set) var constants: [Int: ConstantCell] = [:]
  /// How numbers, dates and words are written.
  var notation = Notation()

  /// Whether the file has the column.
  func has(_ column: Int) -> Bool { positions[column] != nil || constants[column] != nil }

  /// The name of the column at a field of the file.
  func name(ofField index: Int) -> String? {
    positions.firstIndex(of: index).map { rules[$0].name }
  }

  /// The fields that hold numbers, by the names of their columns.
  var numberFields: [(field: Int, name: String)] {
    zip(rules, positions).compactMap { rule, position in
      position.flatMap { rule.isNumber ? ($0, rule.name) : nil }
    }
  }

  /// Reads the header row.
  ///
  /// - Parameters:
  ///   - names: The headers as they stand in the file; case and surrounding space do not count.
  ///   - map: Headers that mean a column of another name.
  ///   - rules: The kind's columns.
  /// - Throws: `ImportError.header` where a column is unknown, missing or repeated.
  init(
    _ names: [String], map: [ExactText: String], rules: [ColumnRule], kind: ImportKind,
    source: String,
    constants: [String: String] = [:]
  ) throws(ImportError) {
    try self.init(
      names, map: map, rules: rules, of: kind.rawValue, source: source, constants: constants)
  }

  /// The header of rows for a kind that a request asks for.
  init(
    _ names: [String], _ request: ImportRequest, rules: [ColumnRule], source: String
  ) throws(ImportError) {
    try self.init(
      names, map: request.columnMap, rules: rules, of: request.kind.rawValue, source: source,
      constants: request.constants, ignored: request.ignored)
    for (option, isAsked, applies) in [
      ("--grouping", request.grouping, rules.contains(where: \.isNumber)),
      ("--round", request.rounds, rules.contains(where: \.isNumber)),
      ("--word", !request.meanings.isEmpty, rules.contains(where: \.isWord)),
    ] where isAsked && !applies {
      throw .option(
        "\(option) does not go with \(request.kind.rawValue)",
        remedy: "do without it: their columns are \(rules.map(\.name).joined(separator: ", "))")
    }
    notation = Notation(request)
  }

  /// Reads the header row of a file that holds `content`.
  init(
    _ names: [String], map: [ExactText: String], rules: [ColumnRule], of content: String,
    source: String, constants: [String: String] = [:], ignored: [String] = []
  ) throws(ImportError) {
    let noColumn = "is not a column of \(content)"
    self.rules = rules
    fieldCount = names.count
    positions = Array(repeating: nil, count: rules.count)
    let known = Self.list(rules, content)
    func refuse(_ problem: String, _ hint: String) -> ImportError {
      .header(source: source, problem: problem, hint: hint)
    }
    for (header, column) in map.sorted(by: { $0.key.description < $1.key.description }) {
      guard rules.contains(where: { $0.name == column }) else {
        throw refuse(
          "'\(header)' is mapped to '\(column)', which \(noColumn)",
          column.isEmpty
            ? "--ignore \(Action.quoted(header.description)) passes it over; \(known)" : known)
      }
      try Self.require(header.description, in: names, "mapped to '\(column)'", refuse)
    }
    for header in ignored { try Self.require(header, in: names, "ignored", refuse) }
    let passedOver = Set(ignored.map { ExactText($0.lowercased()) })
    var unknown: [Int] = []
    for (index, name) in names.enumerated() where !passedOver.contains(ExactText(name.lowercased()))
    {
      let wanted = map[ExactText(name)] ?? name.lowercased()
      guard let column = rules.firstIndex(where: { $0.name == wanted }) else {
        unknown.append(index)
        continue
      }
      guard positions[column] == nil else {
        throw refuse("column '\(wanted)' stands twice in the header", "keep one of the two")
      }
      positions[column] = index
    }
    if let first = unknown.first {
      throw refuse(
        Self.unknown(names[first], first, noColumn),
        Self.hint(for: unknown.map { names[$0] }, names, known, rules))
    }
    try take(constants, refuse, known, noColumn)
    for (index, rule) in rules.enumerated() where rule.isRequired && !has(index) {
      throw refuse(
        "column '\(rule.name)' is missing",
        "\(known); --map 'Header=\(rule.name)' reads it under another header, "
          + "--set \(rule.name)=… gives it to every row")
    }
  }

  /// Requires a header that an option speaks of; case counts for `--map` alone, which says how it
  /// is written.
  private static func require(
    _ header: String, in names: [String], _ isWhat: String,
    _ refuse: (String, String) -> ImportError
  ) throws(ImportError) {
    let isThere =
      isWhat == "ignored"
      ? names.contains { $0.lowercased().isExactly(header.lowercased()) }
      : names.contains(where: header.isExactly)
    guard !isThere else { return }
    throw refuse(
      "no column is headed '\(header)', which is \(isWhat)",
      "the file has the columns \(names.joined(separator: ", "))")
  }

  /// Takes the cells that are the same in every row.
  private mutating func take(
    _ constants: [String: String], _ refuse: (String, String) -> ImportError, _ known: String,
    _ noColumn: String
  ) throws(ImportError) {
    for (name, value) in constants.sorted(by: { $0.key < $1.key }) {
      guard let column = rules.firstIndex(where: { $0.name == name }) else {
        throw refuse("'\(name)', which is set to '\(value)', \(noColumn)", known)
      }
      guard positions[column] == nil else {
        throw refuse(
          "column '\(name)' is set to '\(value)', and the file has it too", "do without the setting"
        )
      }
      self.constants[column] = ConstantCell(value)
    }
  }

  private static func unknown(_ name: String, _ index: Int, _ noColumn: String) -> String {
    name.isEmpty ? "column \(index + 1) has no name" : "'\(name)' \(noColumn)"
  }

  private static func list(_ rules: [ColumnRule], _ content: String) -> String {
    let names = rules.map { $0.isRequired ? $0.name : "[\($0.name)]" }
    return "the columns of \(content) are \(names.joined(separator: ", "))"
  }

  /// What might be meant by columns that are unknown, and how they are passed over.
  private static func hint(
    for unknown: [String], _ names: [String], _ known: String, _ rules: [ColumnRule]
  ) -> String {
    if let separator = Delimiter.hint(names) { return "\(separator); \(known)" }
    let named = unknown.filter { !$0.isEmpty }
    let ways =
      named.isEmpty
      ? ""
      : "; --map 'Header=column' reads one under another header, these are passed over with: "
        + named.prefix(40).map { "--ignore \(Action.quoted($0))" }.joined(separator: " ")
    let name = unknown[0]
    let nearest = rules.map { ($0.name, distance(name.lowercased(), $0.name)) }.min { $0.1 < $1.1 }
    guard let nearest, nearest.1 <= max(2, nearest.0.count / 3) else { return known + ways }
    return "did you mean '\(nearest.0)'? \(known)\(ways)"
  }

  /// How many letters must be changed, put in or taken out (Levenshtein).
  static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8))
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let change = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}

/// The bytes of a cell that is the same in every row, at one address as long as it lives.
final class ConstantCell: Sendable {
  // Written once, before anybody else can see it.
  nonisolated(unsafe) let bytes: UnsafeBufferPointer<UInt8>

  init(_ text: String) {
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = copy.initialize(from: text.utf8)
    bytes = UnsafeBufferPointer(copy)
  }

  deinit { bytes.deallocate() }
}

/// What separates the fields of a file, as far as its header row tells.
enum Delimiter {
  /// What separates the fields, where a header that was read as one field has something else.
  static func hint(_ names: [String]) -> String? {
    guard names.count == 1, let name = names.first else { return nil }
    return hint(inside: name.utf8)
  }

  /// The option that fits a text which one of the separators stands in.
  static func hint(inside text: some Sequence<UInt8>) -> String? {
    var (semicolons, tabs, commas, bars) = (0, 0, 0, 0)
    for byte in text {
      switch byte {
      case UInt8(ascii: ";"): semicolons += 1
      case UInt8(ascii: "\t"): tabs += 1
      case UInt8(ascii: ","): commas += 1
      case UInt8(ascii: "|"): bars += 1
      default: break
      }
    }
    let most = max(semicolons, tabs, commas, bars)
    guard most > 0 else { return nil }
    if semicolons == most {
      return "fields seem to be separated by ';': --delimiter ';', "
        + "or --decimal-comma where numbers are written as 1.234,56"
    }
    let (shown, option) =
      tabs == most ? ("tabs", "tab") : commas == most ? ("','", "','") : ("'|'", "'|'")
    return "fields seem to be separated by \(shown): --delimiter \(option)"
  }
}
