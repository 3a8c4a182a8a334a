internal import CLibPQ

/// Takes pieces of a COPY to the server: `PQputCopyData`.
///
/// After a failure the rest is dropped; the caller learns of it when the COPY ends.
final class CopySink {
  let session: Session
  private(set) var failed = false

  init(_ session: Session) { self.session = session }

  func send(_ bytes: UnsafeRawBufferPointer) {
    guard !failed, bytes.count > 0 else { return }
    if session.interrupter.cause != nil {
      failed = true
      return
    }
    // A buffer is at most a few rows longer than a piece, far from the limit of an Int32.
    var rest = bytes
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 24))
      let start = piece.baseAddress?.assumingMemoryBound(to: CChar.self)
      if PQputCopyData(session.handle, start, Int32(piece.count)) != 1 {
        failed = true
        return
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    }
  }
}

/// Writes rows in the binary format of COPY, field by field.
///
/// Each row begins with `beginRow`, after which exactly so many fields must follow. The bytes
/// leave in pieces of 64 KiB out of one buffer that is reused, so a row allocates nothing. A
/// connection that breaks in between shows at the end of the COPY, not at the single row.
public struct CopyWriter: ~Copyable {
  /// Pieces between 32 KiB and 1 MiB were equally fast; smaller ones were slower.
  @usableFromInline static var pieceBytes: Int { 65_536 }

  @usableFromInline var buffer: BinaryBuffer
  @usableFromInline var fieldsDue = 0
  /// The number of rows begun so far.
  public private(set) var rowCount: Int {
    @inlinable get { rowsBegun }
    set { rowsBegun = newValue }
  }
  @usableFromInline var rowsBegun = 0
  private let sink: CopySink

  init(_ buffer: consuming BinaryBuffer, _ sink: CopySink) {
    self.buffer = buffer
    self.sink = sink
    self.buffer.removeAll()
    self.buffer.append(Self.signature)
  }

  /// The signature, no flags, no extension.
  private static let signature: [UInt8] =
    Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)

  /// Begins a row of so many fields; the row before must be complete.
  @inlinable public mutating func beginRow(_ fields: Int) {
    precondition(fieldsDue == 0, "the row before lacks fields, or has too many")
    if buffer.filled >= CopyWriter.pieceBytes { flush() }
    fieldsDue = fields
    rowsBegun += 1
    buffer.append(Int16(fields))
  }

  @usableFromInline mutating func flush() {
    sink.send(buffer.bytes)
    buffer.removeAll()
  }

  /// Ends the rows and returns the buffer for the next COPY.
  consuming func finish() -> BinaryBuffer {
    precondition(fieldsDue == 0, "the last row lacks fields, or has too many")
    buffer.append(Int16(-1))
    flush()
    return buffer
  }

  /// Gives up, and returns the buffer for the next COPY.
  consuming func abandon() -> BinaryBuffer { buffer }

  // MARK: fields

  /// Writes a value.
  @inlinable public mutating func write(_ value: some PostgresValue) {
    fieldsDue -= 1
    buffer.appendField { value.encode(into: &$0) }
  }

  /// Writes a value, or NULL for `nil`.
  @inlinable public mutating func write(_ value: (some PostgresValue)?) {
    if let value { write(value) } else { writeNull() }
  }

  /// Writes NULL.
  @inlinable public mutating func writeNull() {
    fieldsDue -= 1
    buffer.append(Int32(-1))
  }

  /// Writes a `bigint`.
  @inlinable public mutating func write(int64 value: Int64) {
    fieldsDue -= 1
    buffer.reserve(12)
    buffer.append(Int32(8))
    buffer.append(value)
  }

  /// Writes an `integer`.
  @inlinable public mutating func write(int32 value: Int32) {
    fieldsDue -= 1
    buffer.append(UInt64(4) << 32 | UInt64(UInt32(bitPattern: value)))
  }

  /// Writes a `smallint`.
  @inlinable public mutating func write(int16 value: Int16) {
    fieldsDue -= 1
    buffer.append(Int32(2))
    buffer.append(value)
  }

  /// Writes a `double precision`.
  @inlinable public mutating func write(double value: Double) {
    fieldsDue -= 1
    buffer.reserve(12)
    buffer.append(Int32(8))
    buffer.append(value)
  }

  /// Writes a `boolean`.
  @inlinable public mutating func write(bool value: Bool) {
    fieldsDue -= 1
    buffer.append(Int32(1))
    buffer.append(UInt8(value ? 1 : 0))
  }

  /// Writes a `text`.
  @inlinable public mutating func write(text value: String) {
    fieldsDue -= 1
    buffer.appendField { $0.append(value) }
  }

  /// Writes a `date`: days since 2000-01-01.
  @inlinable public mutating func write(date days: Int32) { write(int32: days) }

  /// Writes a `timestamptz`: microseconds since 2000-01-01 00:00 UTC.
  @inlinable public mutating func write(timestamp microseconds: Int64) {
    write(int64: microseconds)
  }

  /// Writes a `numeric`: `units` times `10^-scale`.
  @inlinable public mutating func write(numericUnits units: Int128, scale: Int) {
    fieldsDue -= 1
    buffer.appendField { $0.append(numericUnits: units, scale: scale) }
  }

  /// Writes a `numeric`: `units` times `10^-scale`.
  @inlinable public mutating func write(numericUnits units: Int64, scale: Int) {
    fieldsDue -= 1
    buffer.appendField { $0.append(numericUnits: units, scale: scale) }
  }

  /// Writes a `bytea`.
  @inlinable public mutating func write(bytes value: [UInt8]) {
    fieldsDue -= 1
    buffer.appendField { $0.append(value) }
  }

  /// Writes a `bytea`.
  @inlinable public mutating func write(bytes value: UnsafeRawBufferPointer) {
    fieldsDue -= 1
    buffer.appendField { $0.append(value) }
  }
}

/// Pushes the raw bytes of a COPY in the text or CSV format.
public struct CopyTextWriter: ~Copyable {
  private let sink: CopySink

  init(_ sink: CopySink) { self.sink = sink }

  /// Pushes bytes; they need not end where a line does.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) { sink.send(bytes) }

  /// Pushes bytes; they need not end where a line does.
  public mutating func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { sink.send($0) }
  }

  /// Pushes text; it need not end where a line does.
  public mutating func write(_ text: String) {
    var text = text
    text.withUTF8 { sink.send(UnsafeRawBufferPointer($0)) }
  }
}
