internal import Accounting

/// A column that a kind of file may have.
struct ColumnRule: Sendable {
  let name: String
  let isRequired: Bool

  /// A column that every file of the kind has.
  static func required(_ name: String) -> ColumnRule { ColumnRule(name: name, isRequired: true) }

  /// A column that a file may leave out.
  static func optional(_ name: String) -> ColumnRule { ColumnRule(name: name, isRequired: false) }
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
  /// Whether numbers are written as `1.234,56`.
  var decimalComma = false
  /// How dates are written, if not as `YYYY-MM-DD`.
  var dateFormat: DateFormat?

  /// Whether the file has the column.
  func has(_ column: Int) -> Bool { positions[column] != nil || constants[column] != nil }

  /// The name of the column at a field of the file.
  func name(ofField index: Int) -> String? {
    positions.firstIndex(of: index).map { rules[$0].name }
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
      constants: request.constants)
    decimalComma = request.decimalComma
    dateFormat = request.dateFormat
  }

  /// Reads the header row of a file that holds `content`.
  init(
    _ names: [String], map: [ExactText: String], rules: [ColumnRule], of content: String,
    source: String, constants: [String: String] = [:]
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
        throw refuse("'\(header)' is mapped to '\(column)', which \(noColumn)", known)
      }
      guard names.contains(where: header.description.isExactly) else {
        throw refuse(
          "no column is headed '\(header)', which is mapped to '\(column)'",
          "the file has the columns \(names.joined(separator: ", "))")
      }
    }
    for (index, name) in names.enumerated() {
      let wanted = map[ExactText(name)] ?? name.lowercased()
      guard let column = rules.firstIndex(where: { $0.name == wanted }) else {
        throw refuse(Self.unknown(name, index, noColumn), Self.hint(for: name, names, known, rules))
      }
      guard positions[column] == nil else {
        throw refuse("column '\(wanted)' stands twice in the header", "keep one of the two")
      }
      positions[column] = index
    }
    try take(constants, refuse, known, noColumn)
    for (index, rule) in rules.enumerated() where rule.isRequired && !has(index) {
      throw refuse("column '\(rule.name)' is missing", known)
    }
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

  private static func hint(
    for name: String, _ names: [String], _ known: String, _ rules: [ColumnRule]
  ) -> String {
    if names.count == 1, name.contains(";") || name.contains("\t") {
      return "fields are separated by commas; \(known)"
    }
    let nearest = rules.map { ($0.name, distance(name.lowercased(), $0.name)) }.min { $0.1 < $1.1 }
    guard let nearest, nearest.1 <= max(2, nearest.0.count / 3) else { return known }
    return "did you mean '\(nearest.0)'? \(known)"
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
