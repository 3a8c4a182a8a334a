/// A type of which PostgreSQL's arrays can be made: a value, or the optional of one.
///
/// A value conforms without writing anything; `[Int64?]` reads arrays that contain NULL, while
/// `[Int64]` refuses them.
public protocol PostgresArrayElement: Sendable {
  /// The server's type of the elements.
  static var elementOID: UInt32 { get }
  /// The server's type of the array.
  static var elementArrayOID: UInt32 { get }
  /// Appends the element preceded by its length, or the mark of NULL.
  func encodeElement(into buffer: inout BinaryBuffer)
  /// Reads one element; `nil` stands for NULL.
  static func decodeElement(_ bytes: UnsafeRawBufferPointer?) throws -> Self
}

extension PostgresArrayElement where Self: PostgresValue {
  /// The server's type of the elements.
  public static var elementOID: UInt32 { oid }
  /// The server's type of the array.
  public static var elementArrayOID: UInt32 { arrayOID }
  /// Appends the element preceded by its length.
  public func encodeElement(into buffer: inout BinaryBuffer) {
    buffer.appendField { encode(into: &$0) }
  }
  /// Reads one element and refuses NULL.
  public static func decodeElement(_ bytes: UnsafeRawBufferPointer?) throws -> Self {
    guard let bytes else { throw CodecError.malformed("an array that contains NULL") }
    return try decode(bytes)
  }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
  /// The server's type of the elements.
  public static var elementOID: UInt32 { Wrapped.elementOID }
  /// The server's type of the array.
  public static var elementArrayOID: UInt32 { Wrapped.elementArrayOID }
  /// Appends the element preceded by its length, or the mark of NULL.
  public func encodeElement(into buffer: inout BinaryBuffer) {
    if let self { self.encodeElement(into: &buffer) } else { buffer.append(Int32(-1)) }
  }
  /// Reads one element; NULL becomes `nil`.
  public static func decodeElement(_ bytes: UnsafeRawBufferPointer?) throws -> Wrapped? {
    guard let bytes else { return nil }
    return try Wrapped.decodeElement(bytes)
  }
}

/// Makes `[UInt8]` a value, and not an array: the bytes of a `bytea`.
extension UInt8: PostgresArrayElement {
  /// The type `"char"`, of which no use is made.
  public static var elementOID: UInt32 { 18 }
  /// The server's `bytea`.
  public static var elementArrayOID: UInt32 { 17 }
  /// Bytes stand in no array of the server's.
  public func encodeElement(into buffer: inout BinaryBuffer) {
    preconditionFailure("only [UInt8] is a value of the server, not [UInt8?]")
  }
  /// Bytes stand in no array of the server's.
  public static func decodeElement(_ bytes: UnsafeRawBufferPointer?) throws -> UInt8 {
    throw CodecError.malformed("bytes can be read as [UInt8] only")
  }
}

/// Arrays of one dimension, counted from 1; the empty array has none. `[UInt8]` is a `bytea`.
extension Array: PostgresValue where Element: PostgresArrayElement {
  /// The server's type of the array.
  public static var oid: UInt32 { Element.elementArrayOID }
  /// The same: PostgreSQL has no arrays of arrays.
  public static var arrayOID: UInt32 { Element.elementArrayOID }

  /// Dimensions, whether NULLs occur, the type; then length and bytes of each element.
  public func encode(into buffer: inout BinaryBuffer) {
    // The type is asked first: an empty array of anything casts to an empty array of bytes.
    if Element.self == UInt8.self, let bytes = self as? [UInt8] { return buffer.append(bytes) }
    buffer.append(Int32(isEmpty ? 0 : 1))
    let flagOffset = buffer.count
    buffer.append(Int32(0))
    buffer.append(Element.elementOID)
    if isEmpty { return }
    buffer.append(Int32(count))
    buffer.append(Int32(1))
    for element in self { element.encodeElement(into: &buffer) }
    // The server looks at each length and not at the flag, which is set for its readers' sake.
    if Element.self is any ExpressibleByNilLiteral.Type {
      (buffer.base + flagOffset).storeBytes(of: Int32(1).bigEndian, as: Int32.self)
    }
  }

  /// Reads an array of at most one dimension.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> [Element] {
    if Element.self == UInt8.self, let plain = Array<UInt8>(bytes) as? [Element] { return plain }
    var cursor = FieldCursor(bytes)
    let dimensions: Int32 = try cursor.integer()
    _ = try cursor.integer() as Int32
    let elementType: UInt32 = try cursor.integer()
    guard elementType == Element.elementOID else {
      throw CodecError.malformed("an array of type \(elementType) instead of another")
    }
    if dimensions == 0 { return [] }
    guard dimensions == 1 else {
      throw CodecError.malformed("an array of \(dimensions) dimensions")
    }
    let count: Int32 = try cursor.integer()
    _ = try cursor.integer() as Int32
    guard count >= 0, Int(count) <= bytes.count / 4 else {
      throw CodecError.malformed("an array with an impossible length")
    }
    var elements: [Element] = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count {
      elements.append(try Element.decodeElement(cursor.field()))
    }
    return elements
  }
}

/// Walks through bytes in which lengths precede fields: arrays, and the rows of a COPY.
struct FieldCursor {
  let bytes: UnsafeRawBufferPointer
  var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>() throws(CodecError) -> T {
    let size = MemoryLayout<T>.size
    guard bytes.count - offset >= size else {
      throw .wrongLength(expected: size, actual: bytes.count - offset)
    }
    defer { offset += size }
    return T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The next field, or `nil` for NULL.
  mutating func field() throws(CodecError) -> UnsafeRawBufferPointer? {
    let length = Int(try integer() as Int32)
    if length == -1 { return nil }
    guard length >= 0, bytes.count - offset >= length else {
      throw .wrongLength(expected: length, actual: bytes.count - offset)
    }
    defer { offset += length }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
  }
}
