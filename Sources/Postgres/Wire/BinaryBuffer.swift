/// Bytes in the making, in the order of the network: what parameters and COPY rows are made of.
///
/// It owns raw memory, grows by doubling and is reused from one piece to the next, so that
/// encoding a row allocates nothing.
public struct BinaryBuffer: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  /// The number of bytes written.
  public private(set) var count: Int {
    @inlinable get { filled }
    set { filled = newValue }
  }
  @usableFromInline var filled = 0

  /// An empty buffer with room for `capacity` bytes.
  public init(capacity: Int = 256) {
    self.capacity = max(capacity, 16)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// The bytes written so far; valid until the next change.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: filled) }

  /// Forgets the bytes and keeps the memory.
  mutating func removeAll() { filled = 0 }

  /// Makes room for `extra` more bytes.
  @inlinable mutating func reserve(_ extra: Int) {
    if filled + extra > capacity { grow(extra) }
  }

  @usableFromInline mutating func grow(_ extra: Int) {
    let larger = max(capacity * 2, filled + extra)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    fresh.copyMemory(from: base, byteCount: filled)
    base.deallocate()
    base = fresh
    capacity = larger
  }

  /// Appends an integer, most significant byte first.
  @inlinable public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    (base + filled).storeBytes(of: value.bigEndian, as: T.self)
    filled += MemoryLayout<T>.size
  }

  /// Appends a binary floating-point number as its IEEE 754 bits.
  @inlinable public mutating func append(_ value: Double) { append(value.bitPattern) }

  /// Appends the bytes as they are.
  @inlinable public mutating func append(_ raw: UnsafeRawBufferPointer) {
    guard let start = raw.baseAddress, raw.count > 0 else { return }
    reserve(raw.count)
    (base + filled).copyMemory(from: start, byteCount: raw.count)
    filled += raw.count
  }

  /// Appends the bytes as they are.
  public mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { append($0) }
  }

  /// Appends the text in UTF-8, without a length.
  public mutating func append(_ text: String) {
    let direct: Void? = text.utf8.withContiguousStorageIfAvailable { utf8 in
      append(UnsafeRawBufferPointer(utf8))
    }
    if direct == nil { append(Array(text.utf8)) }
  }

  /// Appends what `body` writes, preceded by its length in four bytes.
  @inlinable mutating func appendField(_ body: (inout BinaryBuffer) -> Void) {
    let start = filled
    append(Int32(0))
    body(&self)
    let length = Int32(filled - start - 4)
    (base + start).storeBytes(of: length.bigEndian, as: Int32.self)
  }
}
