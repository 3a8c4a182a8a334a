internal import CLibPQ

/// Reads the fields of one row from left to right.
///
/// A row is looked at in place, where libpq has received it; only texts, arrays and byte strings
/// are copied. Reading a column as a type that the server's is not, reading NULL without asking
/// for it, and reading past the end are errors that name statement and column.
///
/// The rows of a COPY carry no types: there only the lengths are checked.
public struct RowReader: ~Copyable {
  /// The number of fields of the row.
  public private(set) var fieldCount: Int
  /// The number of the field that is read next, from 0.
  public private(set) var position = 0

  private let statementName: String
  private let result: OpaquePointer?
  private var row: Int32 = 0
  private var cursor = FieldCursor(UnsafeRawBufferPointer(start: nil, count: 0))

  /// A reader of the rows of a result.
  init(result: OpaquePointer, statementName: String) {
    self.result = result
    self.statementName = statementName
    fieldCount = Int(PQnfields(result))
  }

  /// A reader of the rows of a COPY.
  init(statementName: String) {
    self.statementName = statementName
    result = nil
    fieldCount = 0
  }

  /// Turns to a row of the result.
  mutating func turn(to row: Int32) {
    self.row = row
    position = 0
  }

  /// Turns to the row that `cursor` stands before.
  mutating func turn(to cursor: FieldCursor, fieldCount: Int) {
    self.cursor = cursor
    self.fieldCount = fieldCount
    position = 0
  }

  // MARK: any type

  /// The next field.
  public mutating func next<T: PostgresValue>(_ type: T.Type = T.self) throws -> T {
    guard let value = try nextOptional(type) else { throw unexpectedNull() }
    return value
  }

  /// The next field, or `nil` for NULL.
  public mutating func nextOptional<T: PostgresValue>(_ type: T.Type = T.self) throws -> T? {
    guard let bytes = try field(accepting: T.reads, "\(T.self)") else { return nil }
    do { return try T.decode(bytes) } catch { throw undecodable(error) }
  }

  /// Passes over the next field.
  public mutating func skip() throws {
    _ = try field(accepting: { _ in true }, "")
  }

  // MARK: the usual types, without generics

  /// The next field, a `bigint` or a smaller integer.
  public mutating func nextInt64() throws -> Int64 {
    guard let value = try nextInt64OrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `bigint` or a smaller integer, or `nil` for NULL.
  public mutating func nextInt64OrNil() throws -> Int64? {
    guard let bytes = try field(accepting: Int64.reads, "Int64") else { return nil }
    do { return try Int64.decode(bytes) } catch { throw undecodable(error) }
  }

  /// The next field, an `integer` or `smallint`.
  public mutating func nextInt32() throws -> Int32 {
    guard let value = try nextInt32OrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, an `integer` or `smallint`, or `nil` for NULL.
  public mutating func nextInt32OrNil() throws -> Int32? {
    guard let bytes = try field(accepting: Int32.reads, "Int32") else { return nil }
    do { return try Int32.decode(bytes) } catch { throw undecodable(error) }
  }

  /// The next field, a `double precision` or `real`.
  public mutating func nextDouble() throws -> Double {
    guard let value = try nextDoubleOrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `double precision` or `real`, or `nil` for NULL.
  public mutating func nextDoubleOrNil() throws -> Double? {
    guard let bytes = try field(accepting: Double.reads, "Double") else { return nil }
    do { return try Double.decode(bytes) } catch { throw undecodable(error) }
  }

  /// The next field, a `boolean`.
  public mutating func nextBool() throws -> Bool {
    guard let value = try nextBoolOrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `boolean`, or `nil` for NULL.
  public mutating func nextBoolOrNil() throws -> Bool? {
    guard let bytes = try field(accepting: Bool.reads, "Bool") else { return nil }
    do { return try Bool.decode(bytes) } catch { throw undecodable(error) }
  }

  /// The next field, a text or the label of an enumeration.
  public mutating func nextString() throws -> String {
    guard let value = try nextStringOrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a text or the label of an enumeration, or `nil` for NULL.
  public mutating func nextStringOrNil() throws -> String? {
    guard let bytes = try field(accepting: String.reads, "String") else { return nil }
    do { return try String.decode(bytes) } catch { throw undecodable(error) }
  }

  /// The next field, a `date`: days since 2000-01-01.
  public mutating func nextDate() throws -> Int32 {
    guard let value = try nextDateOrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `date`: days since 2000-01-01, or `nil` for NULL.
  public mutating func nextDateOrNil() throws -> Int32? {
    guard let bytes = try field(accepting: PostgresDate.reads, "PostgresDate") else { return nil }
    do { return try bytes.integer() } catch { throw undecodable(error) }
  }

  /// The next field, a `numeric`, as a count of units of `10^-scale`.
  ///
  /// Nothing is rounded: more decimals, or a number beyond 128 bits, are errors.
  public mutating func nextNumericUnits(scale: Int) throws -> Int128 {
    guard let value = try nextNumericUnitsOrNil(scale: scale) else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `numeric`, as a count of units of `10^-scale`, or `nil` for NULL.
  public mutating func nextNumericUnitsOrNil(scale: Int) throws -> Int128? {
    guard let bytes = try field(accepting: Numeric.reads, "Numeric") else { return nil }
    do { return try NumericDecoding.units(bytes, scale: scale) } catch {
      throw undecodable(error)
    }
  }

  /// The next field, a `bytea`.
  public mutating func nextBytes() throws -> [UInt8] {
    guard let value = try nextBytesOrNil() else { throw unexpectedNull() }
    return value
  }

  /// The next field, a `bytea`, or `nil` for NULL.
  public mutating func nextBytesOrNil() throws -> [UInt8]? {
    try withNextBytes { $0.map { Array($0) } }
  }

  /// Looks at the next field, a `bytea`, where it lies; `nil` stands for NULL.
  public mutating func withNextBytes<R>(
    _ body: (UnsafeRawBufferPointer?) throws -> R
  ) throws -> R {
    try body(try field(accepting: [UInt8].reads, "[UInt8]"))
  }

  // MARK: fields

  /// The bytes of the next field, or `nil` for NULL.
  @inline(__always)
  private mutating func field(
    accepting reads: (UInt32) -> Bool, _ type: @autoclosure () -> String
  ) throws -> UnsafeRawBufferPointer? {
    guard position < fieldCount else { throw pastTheEnd() }
    let column = Int32(truncatingIfNeeded: position)
    position += 1
    guard let result else {
      do { return try cursor.field() } catch { throw undecodable(error) }
    }
    let columnType = PQftype(result, column)
    guard reads(columnType) else { throw wrongType(columnType, type()) }
    let length = PQgetlength(result, row, column)
    if length == 0, PQgetisnull(result, row, column) == 1 { return nil }
    return UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(length))
  }
}

// MARK: errors

extension RowReader {
  /// The column that was read last, as an error names it.
  private var columnName: String {
    let number = position - 1
    guard let result, let name = PQfname(result, Int32(number)) else {
      return "field \(number + 1)"
    }
    return "column \"\(String(cString: name))\""
  }

  /// Which row it is and which column was read last, as somebody finds them who has to mend it:
  /// `column "close" of the row with id 5, price_date 2017-06-30`.
  ///
  /// It has the row's own numbers, texts and dates, its keys among them, and no amounts.
  public var place: String {
    guard let result else { return columnName }
    var fields: [String] = []
    for column in 0..<fieldCount where column != position - 1 && fields.count < 8 {
      if let field = field(Int32(column), of: result) { fields.append(field) }
    }
    return fields.isEmpty
      ? columnName : "\(columnName) of the row with \(fields.joined(separator: ", "))"
  }

  /// A column's name and its value, where that may tell the row from others.
  private func field(_ column: Int32, of result: OpaquePointer) -> String? {
    guard let name = PQfname(result, column), PQgetisnull(result, row, column) == 0 else {
      return nil
    }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    let type = PQftype(result, column)
    let value: String? =
      if type == PostgresDate.oid {
        (try? PostgresDate.decode(bytes))?.text
      } else if Int64.reads(type) {
        (try? Int64.decode(bytes)).map { "\($0)" }
      } else if String.reads(type) {
        (try? String.decode(bytes)).map { String($0.prefix(60)) }
      } else {
        nil
      }
    return value.map { "\(String(cString: name)) \($0)" }
  }

  private func error(
    _ message: String, _ kind: PostgresError.Kind = .decoding, hint: String? = nil
  ) -> PostgresError {
    var error = PostgresError(
      kind, "\(columnName): \(message)", hint: hint, statementName: statementName,
      reachedServer: true)
    if let result, let name = PQfname(result, Int32(position - 1)) {
      error.column = String(cString: name)
    }
    return error
  }

  private func unexpectedNull() -> PostgresError { error("NULL where a value is due") }

  private func undecodable(_ cause: any Error) -> PostgresError {
    guard (cause as? CodecError)?.isOfValue == true else { return error("\(cause)") }
    var error = error(
      "\(cause)", .unreadable, hint: "it was written by hand: mend the row, and try again")
    if result != nil { error.detail = "it is \(place)" }
    return error
  }

  private func wrongType(_ columnType: UInt32, _ type: String) -> PostgresError {
    error("a value of the server's type \(columnType) cannot be read as \(type)")
  }

  private func pastTheEnd() -> PostgresError {
    PostgresError(
      .usage, "the row has \(fieldCount) fields, and one more was read",
      statementName: statementName, reachedServer: true)
  }
}
