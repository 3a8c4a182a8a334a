extension FlowMoments {
  /// The layout's version and which signs occur, in the first byte.
  private static let version: UInt8 = 0x10
  private static let hasReceived: UInt8 = 1
  private static let hasPaid: UInt8 = 2
  private static let unusual: UInt8 = 4

  /// Appends the moments, 33 bytes and 72 for each sign that occurs.
  public func pack(into bytes: inout [UInt8]) {
    var header = Self.version
    if !received.isEmpty { header |= Self.hasReceived }
    if !paid.isEmpty { header |= Self.hasPaid }
    if isUnusual { header |= Self.unusual }
    bytes.append(header)
    bytes.append(UInt8(bitPattern: earlierSign))
    bytes.append(signChanges)
    Self.append(additions, to: &bytes)
    for day in [center, firstDay, lastDay] { Self.append(day, to: &bytes) }
    Self.append(lastNet.bitPattern, to: &bytes)
    Self.append(growth.bitPattern, to: &bytes)
    for side in [received, paid] where !side.isEmpty {
      for index in 0..<9 { Self.append(side.sums[index].bitPattern, to: &bytes) }
    }
  }

  /// Reads what `pack` wrote and moves past it; nil where the bytes are of another version or cut.
  public init?(unpacking bytes: inout ArraySlice<UInt8>) {
    guard let header: UInt8 = Self.next(&bytes), header & 0xF0 == Self.version,
      let sign: UInt8 = Self.next(&bytes), let changes: UInt8 = Self.next(&bytes),
      let additions: UInt16 = Self.next(&bytes), let center: Int32 = Self.next(&bytes),
      let firstDay: Int32 = Self.next(&bytes), let lastDay: Int32 = Self.next(&bytes),
      let lastNet: UInt64 = Self.next(&bytes), let growth: UInt64 = Self.next(&bytes)
    else { return nil }
    self.init(flows: [], expandedAt: 0)
    earlierSign = Int8(bitPattern: sign)
    signChanges = changes
    self.additions = additions
    self.center = center
    self.firstDay = firstDay
    self.lastDay = lastDay
    self.lastNet = Double(bitPattern: lastNet)
    self.growth = Double(bitPattern: growth)
    isUnusual = header & Self.unusual != 0
    if header & Self.hasReceived != 0 {
      guard let side = Self.nextSide(&bytes) else { return nil }
      received = side
    }
    if header & Self.hasPaid != 0 {
      guard let side = Self.nextSide(&bytes) else { return nil }
      paid = side
    }
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func next<Value: FixedWidthInteger>(
    _ bytes: inout ArraySlice<UInt8>
  ) -> Value? {
    let size = MemoryLayout<Value>.size
    guard bytes.count >= size else { return nil }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    bytes = bytes[(bytes.startIndex + size)...]
    return Value(littleEndian: value)
  }

  private static func nextSide(_ bytes: inout ArraySlice<UInt8>) -> Side? {
    var side = Side()
    for index in 0..<9 {
      guard let bits: UInt64 = next(&bytes) else { return nil }
      side.sums[index] = Double(bitPattern: bits)
    }
    return side
  }
}
