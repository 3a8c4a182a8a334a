extension FlowMoments {
  /// The bytes of packed moments.
  public static let packedSize = 160

  /// Writes the moments into a buffer of at least `packedSize` bytes, little-endian.
  public func pack(into bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count >= Self.packedSize, "room for packed moments")
    var offset = 0
    func put(_ number: Int32) {
      bytes.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Int32.self)
      offset += 4
    }
    func put(_ number: Double) {
      bytes.storeBytes(
        of: number.bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    put(flowCount)
    put(firstDay.number)
    put(lastDay.number)
    put(anchor.number)
    put(expandedAt)
    put(certifiedFrom)
    put(lastNet.high)
    put(lastNet.low)
    put(lastNet.gross)
    for lane in 0..<Self.packedLanes { put(moments[lane]) }
  }

  /// Appends the packed moments to an array of bytes.
  public func pack(appendingTo bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: Self.packedSize))
    bytes.withUnsafeMutableBytes { pack(into: .init(rebasing: $0[start...])) }
  }

  /// Reads packed moments; nil if the bytes are too few, or not moments.
  public init?(unpacking bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.packedSize else { return nil }
    var offset = 0
    func day() -> Int32 {
      defer { offset += 4 }
      return Int32(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
    func number() -> Double {
      defer { offset += 8 }
      return Double(
        bitPattern: UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
    self.init(expandedAt: 0)
    flowCount = day()
    firstDay = Day(number: day())
    lastDay = Day(number: day())
    anchor = Day(number: day())
    expandedAt = number()
    certifiedFrom = number()
    lastNet.high = number()
    lastNet.low = number()
    lastNet.gross = number()
    for lane in 0..<Self.packedLanes { moments[lane] = number() }
    guard flowCount >= 0, firstDay <= lastDay, expandedAt.isFinite, !certifiedFrom.isNaN else {
      return nil
    }
  }

  private static let packedLanes = 13
}
