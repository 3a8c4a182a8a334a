/// A type that travels to and from the server in PostgreSQL's binary format.
///
/// Conform a type of your own by naming the server's type and delegating to one that exists:
/// ```swift
/// extension PortfolioID: PostgresValue {
///   static var oid: UInt32 { Int64.oid }
///   static var arrayOID: UInt32 { Int64.arrayOID }
///   func encode(into buffer: inout BinaryBuffer) { rawValue.encode(into: &buffer) }
///   static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Self {
///     Self(rawValue: try Int64.decode(bytes))
///   }
/// }
/// ```
/// Add `PostgresArrayElement` to the conformances to use it in arrays; it asks for nothing more.
public protocol PostgresValue: Sendable {
  /// The server's type, by its number in `pg_type`.
  static var oid: UInt32 { get }
  /// The server's type of arrays of it.
  static var arrayOID: UInt32 { get }
  /// Appends the value, without a length.
  func encode(into buffer: inout BinaryBuffer)
  /// Reads the value; `bytes` are valid only during the call.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Self
  /// Whether a column of this type of the server can be read as this type.
  static func reads(_ columnOID: UInt32) -> Bool
}

extension PostgresValue {
  /// Only the type itself, unless a type knows more.
  public static func reads(_ columnOID: UInt32) -> Bool { columnOID == oid }
}

extension Bool: PostgresValue, PostgresArrayElement {
  /// The server's `boolean`.
  public static var oid: UInt32 { 16 }
  /// The server's `boolean[]`.
  public static var arrayOID: UInt32 { 1000 }
  /// One byte: 0 or 1.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(UInt8(self ? 1 : 0)) }
  /// One byte: 0 or 1.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
    let byte: UInt8 = try bytes.integer()
    return byte != 0
  }
}

extension Int16: PostgresValue, PostgresArrayElement {
  /// The server's `smallint`.
  public static var oid: UInt32 { 21 }
  /// The server's `smallint[]`.
  public static var arrayOID: UInt32 { 1005 }
  /// Two bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(self) }
  /// Two bytes.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Int16 {
    try bytes.integer()
  }
}

extension Int32: PostgresValue, PostgresArrayElement {
  /// The server's `integer`.
  public static var oid: UInt32 { 23 }
  /// The server's `integer[]`.
  public static var arrayOID: UInt32 { 1007 }
  /// Four bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(self) }
  /// Four bytes, or the two of a `smallint`.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Int32 {
    if bytes.count == 2 { return try Int32(Int16.decode(bytes)) }
    return try bytes.integer()
  }
  /// `integer` and `smallint`.
  public static func reads(_ columnOID: UInt32) -> Bool { columnOID == 23 || columnOID == 21 }
}

extension Int64: PostgresValue, PostgresArrayElement {
  /// The server's `bigint`.
  public static var oid: UInt32 { 20 }
  /// The server's `bigint[]`.
  public static var arrayOID: UInt32 { 1016 }
  /// Eight bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(self) }
  /// Eight bytes, or those of a smaller integer.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Int64 {
    if bytes.count < 8 { return try Int64(Int32.decode(bytes)) }
    return try bytes.integer()
  }
  /// `bigint`, `integer` and `smallint`.
  public static func reads(_ columnOID: UInt32) -> Bool {
    columnOID == 20 || Int32.reads(columnOID)
  }
}

extension Double: PostgresValue, PostgresArrayElement {
  /// The server's `double precision`.
  public static var oid: UInt32 { 701 }
  /// The server's `double precision[]`.
  public static var arrayOID: UInt32 { 1022 }
  /// Eight bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(self) }
  /// Eight bytes, or the four of a `real`.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Double {
    if bytes.count == 4 { return Double(Float(bitPattern: try bytes.integer())) }
    return Double(bitPattern: try bytes.integer())
  }
  /// `double precision` and `real`.
  public static func reads(_ columnOID: UInt32) -> Bool { columnOID == 701 || columnOID == 700 }
}

extension String: PostgresValue, PostgresArrayElement {
  /// The server's `text`.
  public static var oid: UInt32 { 25 }
  /// The server's `text[]`.
  public static var arrayOID: UInt32 { 1009 }
  /// The text in UTF-8.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(self) }
  /// The text in UTF-8.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CodecError.malformed("not valid UTF-8")
    }
    return text
  }
  /// The types of text, and whatever the database itself defines.
  ///
  /// These are `text`, `varchar`, `char(n)`, `name`, `"char"`, `json`, `xml`, and untyped
  /// literals; enumerations travel as text too. `void` (of a function called for its effect)
  /// is read as the empty text.
  public static func reads(_ columnOID: UInt32) -> Bool {
    switch columnOID {
    case 25, 1043, 1042, 19, 18, 114, 142, 705, 2278: true
    default: columnOID >= 16_384
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The whole field as one integer in network order.
  @inline(__always)
  func integer<T: FixedWidthInteger & BitwiseCopyable>() throws(CodecError) -> T {
    guard count == MemoryLayout<T>.size else {
      throw .wrongLength(expected: MemoryLayout<T>.size, actual: count)
    }
    return T(bigEndian: loadUnaligned(as: T.self))
  }
}
