extension FlowMoments {
  /// The layout's version, in the high half of the first byte; below it, what can be left out.
  private static let version: UInt8 = 0x20
  /// Nothing was ever taken out: the gross is −M₀, and every growth is certified.
  private static let isAllPaid: UInt8 = 1
  /// The last date has one flow, or many that lost nothing: net and gross are one number.
  private static let isPlainNet: UInt8 = 2
  private static let momentCount = 12

  /// Appends the moments: 129 bytes where every flow was paid in, up to 161.
  public func pack(into bytes: inout [UInt8]) {
    let allPaid = certifiedFrom == -.infinity && moments[12] == -moments[0]
    let plainNet = lastNet.low == 0 && lastNet.gross == abs(lastNet.high)
    bytes.append(
      Self.version | (allPaid ? Self.isAllPaid : 0) | (plainNet ? Self.isPlainNet : 0))
    Self.append(UInt32(bitPattern: flowCount), to: &bytes)
    for day in [firstDay, lastDay, anchor] {
      Self.append(UInt32(bitPattern: day.number), to: &bytes)
    }
    Self.append(expandedAt.bitPattern, to: &bytes)
    Self.append(lastNet.high.bitPattern, to: &bytes)
    for lane in 0..<Self.momentCount { Self.append(moments[lane].bitPattern, to: &bytes) }
    if !allPaid {
      Self.append(moments[12].bitPattern, to: &bytes)
      Self.append(certifiedFrom.bitPattern, to: &bytes)
    }
    if !plainNet {
      Self.append(lastNet.low.bitPattern, to: &bytes)
      Self.append(lastNet.gross.bitPattern, to: &bytes)
    }
  }

  /// Reads what `pack` wrote and moves past it; nil where the bytes are of another version, cut,
  /// or of dates that no book has.
  public init?(unpacking bytes: inout ArraySlice<UInt8>) {
    self.init(expandedAt: 0)
    let isRead: Bool = bytes.withUnsafeBytes { buffer in
      guard let header = buffer.first, header & 0xF0 == Self.version else { return false }
      let allPaid = header & Self.isAllPaid != 0
      let plainNet = header & Self.isPlainNet != 0
      guard buffer.count >= Self.size(allPaid, plainNet) else { return false }
      var offset = 1
      func day() -> Day {
        defer { offset += 4 }
        return Day(
          number: Int32(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
      }
      func number() -> Double {
        defer { offset += 8 }
        return Double(
          bitPattern: UInt64(
            littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      }
      flowCount = day().number
      firstDay = day()
      lastDay = day()
      anchor = day()
      expandedAt = number()
      lastNet.high = number()
      for lane in 0..<Self.momentCount { moments[lane] = number() }
      moments[12] = allPaid ? -moments[0] : number()
      if !allPaid { certifiedFrom = number() }
      lastNet.low = plainNet ? 0 : number()
      lastNet.gross = plainNet ? abs(lastNet.high) : number()
      // What nobody packed, days that cannot be counted with, is as good as nothing.
      return expandedAt.isFinite
        && [firstDay, lastDay, anchor].allSatisfy { $0 >= .earliest && $0 <= .latest }
    }
    guard isRead, let header = bytes.first else { return nil }
    bytes = bytes.dropFirst(
      Self.size(header & Self.isAllPaid != 0, header & Self.isPlainNet != 0))
  }

  private static func size(_ allPaid: Bool, _ plainNet: Bool) -> Int {
    1 + 16 + 8 * (2 + momentCount + (allPaid ? 0 : 2) + (plainNet ? 0 : 2))
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
