import Accounting
import TestSupport
import Testing

/// A warm answer is the full pass's answer, bit for bit, or none.
@Suite("Moments of flows") struct FlowMomentsTests {
  private static let start = Day(year: 2015, month: 1, day: 5)

  private func series(_ random: inout SeededGenerator) -> [DatedFlow] {
    let count = Int.random(in: 1...80, using: &random)
    let gap = [1, 7, 30, 91].randomElement(using: &random) ?? 30
    let withdraws = Double.random(in: 0...1, using: &random) < 0.3 ? 0.2 : 0
    var day = Self.start
    return (0..<count).map { index in
      if index > 0 { day = day + Int.random(in: 0...(2 * gap), using: &random) }
      let amount = (Double.random(in: 1...5_000, using: &random) * 10_000).rounded() / 10_000
      let isOut = index > 0 && Double.random(in: 0...1, using: &random) < withdraws
      return DatedFlow(day: day, amount: isOut ? amount : -amount)
    }
  }

  @Test("over months of nights, with new flows and withdrawals, every warm answer is the full one")
  func sameBits() {
    var random = SeededGenerator(seed: 7)
    var (answered, asked) = (0, 0)
    for _ in 0..<1_500 {
      var flows = series(&random)
      var day = flows[flows.count - 1].day
      var value = max(1, -flows.reduce(0) { $0 + $1.amount }) * .random(in: 0.5...2, using: &random)
      var moments = FlowMoments(flows: flows, expandedAt: 0)
      for _ in 0..<12 {
        day = day + Int.random(in: 0...3, using: &random)
        value *= .random(in: 0.97...1.03, using: &random)
        let closing = (value * 10_000).rounded() / 10_000
        let full = InternalRate.solve(flows, closingValue: closing, on: day)
        asked += 1
        if let warm = moments.solve(closingValue: closing, on: day) {
          answered += 1
          #expect(warm == full)
        } else {
          moments = FlowMoments(flows: flows, expandedAt: full.logGrowth ?? 0)
        }
        if Double.random(in: 0...1, using: &random) < 0.2 {
          day = day + 1
          let flow = DatedFlow(day: day, amount: -(value * 0.1).rounded())
          flows.append(flow)
          moments.add(day: flow.day, amount: flow.amount)
          value += -flow.amount
        }
      }
    }
    // Series that have several changes of sign are never answered.
    #expect(Double(answered) / Double(asked) > 0.5)
  }

  @Test("five years of monthly deposits are answered warm on nearly every night")
  func acceptance() {
    var random = SeededGenerator(seed: 11)
    var (answered, asked) = (0, 0)
    for _ in 0..<100 {
      let flows = (0..<60).map {
        DatedFlow(
          day: Self.start + 30 * $0, amount: -Double(Int.random(in: 100...2_000, using: &random)))
      }
      var value = 60_000 * Double.random(in: 0.8...1.6, using: &random)
      var day = flows[59].day
      let first = InternalRate.solve(flows, closingValue: value, on: day + 1)
      let moments = FlowMoments(flows: flows, expandedAt: first.logGrowth ?? 0)
      for _ in 0..<20 {
        day = day + 1
        value *= .random(in: 0.97...1.03, using: &random)
        asked += 1
        guard let warm = moments.solve(closingValue: value, on: day) else { continue }
        answered += 1
        #expect(warm == InternalRate.solve(flows, closingValue: value, on: day))
      }
    }
    #expect(Double(answered) / Double(asked) >= 0.97)
  }

  @Test("packed and unpacked they are the same, and cut bytes are refused")
  func packing() throws {
    var random = SeededGenerator(seed: 3)
    for round in 0..<200 {
      var moments = FlowMoments(flows: series(&random), expandedAt: 0.07)
      moments.add(day: Self.start + 9_000, amount: -12.5)
      // A last date of payments and withdrawals has a gross apart from its net.
      if round % 2 == 0 { moments.add(day: Self.start + 9_000, amount: 0.1) }
      var bytes: [UInt8] = []
      moments.pack(into: &bytes)
      var rest = bytes[...]
      let read = try #require(FlowMoments(unpacking: &rest))
      #expect(read == moments)
      #expect(rest.isEmpty)
      var cut = bytes.dropLast()
      #expect(FlowMoments(unpacking: &cut) == nil)
    }
    var other: ArraySlice<UInt8> = [0xFF, 1, 2]
    #expect(FlowMoments(unpacking: &other) == nil)
  }

  @Test("bytes that nobody packed, with dates beyond any calendar, are refused")
  func hostileBytes() {
    let flows = [DatedFlow(day: Self.start, amount: -100)]
    var bytes: [UInt8] = []
    FlowMoments(flows: flows, expandedAt: 0.07).pack(into: &bytes)
    // The first date, the last, and the one that times are counted to.
    for offset in [5, 9, 13] {
      for word: [UInt8] in [[0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80]] {
        var hostile = bytes
        hostile.replaceSubrange(offset..<(offset + 4), with: word)
        var rest = hostile[...]
        #expect(FlowMoments(unpacking: &rest) == nil)
      }
    }
  }

  @Test("what only a full pass can tell is not answered")
  func refusals() {
    let paid = [DatedFlow(day: Self.start, amount: -100)]
    let moments = FlowMoments(flows: paid, expandedAt: 0)
    #expect(moments.solve(closingValue: 0, on: Self.start + 30) == nil)
    #expect(moments.solve(closingValue: -5, on: Self.start + 30) == nil)
    #expect(moments.solve(closingValue: 110, on: Self.start) == nil)
    #expect(moments.solve(closingValue: 110, on: Self.start - 1) == nil)
    #expect(FlowMoments(flows: [], expandedAt: 0).solve(closingValue: 1, on: Self.start) == nil)
    var backwards = moments
    backwards.add(day: Self.start - 5, amount: -100)
    #expect(backwards.solve(closingValue: 220, on: Self.start + 30) == nil)
    // What is too small to be held beside them, and a past that came out ahead.
    #expect(moments.solve(closingValue: .leastNonzeroMagnitude, on: Self.start + 30) == nil)
    var ahead = FlowMoments(flows: paid, expandedAt: .infinity)
    ahead.add(day: Self.start + 9, amount: -1)
    #expect(ahead.solve(closingValue: .leastNormalMagnitude / 8, on: Self.start + 30) == nil)
    ahead.add(day: Self.start + 20, amount: 300)
    #expect(ahead.solve(closingValue: 5, on: Self.start + 30) == nil)
    // Beside an amount of extraordinary size the full pass drops what is too small.
    for amount in [-1e200, -1e-200, -.infinity, .nan] {
      var wild = FlowMoments(expandedAt: 0)
      wild.add(day: Self.start, amount: amount)
      for (gap, paid) in [(1, -0.3), (1, 0.3), (2, -100)] {
        wild.add(day: Self.start + gap, amount: paid)
      }
      #expect(wild.solve(closingValue: 110, on: Self.start + 30) == nil)
      #expect(moments.solve(closingValue: abs(amount), on: Self.start + 30) == nil)
    }
  }
}
