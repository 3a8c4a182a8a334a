/// A series of flows as the solver sees it: netted by date, ascending, without zeros.
///
/// A net is the exact sum of its flows, kept in double-double, so that neither the order of the
/// flows nor the splitting of one changes the result. A date whose net is no more than the
/// conversion of decimal amounts to doubles can leave behind (2u of the amounts) counts as zero:
/// 0.1 + 0.2 − 0.3 is nothing, not a payment of 2.8e-17.
struct FlowSeries: ~Copyable {
  /// The dates, in days or months.
  private(set) var units: UnsafeMutablePointer<Int32>
  /// The nets.
  private(set) var high: UnsafeMutablePointer<Double>
  /// What `high` cannot hold of them; unused where `hasOneFlowADate`.
  private(set) var low: UnsafeMutablePointer<Double>
  /// Whether every date has one flow: nothing was netted.
  private var hasOneFlowADate = false
  private(set) var count = 0
  private var capacity: Int

  /// How often the sign of the nets changes.
  private(set) var signChanges = 0
  /// The index of the first net whose sign differs from that of the one before.
  private(set) var firstChange = 0
  /// Whether every amount was a number, and none infinite.
  private(set) var isFinite = true
  /// Whether what lies at the end is worth exactly nothing, and says so.
  private var endsAtZero = false
  /// The last date of all flows, zeros included.
  private var lastUnit: Int32 = .min

  /// Whether sums, products and powers of a size neither overflow nor lose digits to underflow.
  ///
  /// Amounts outside are brought near 1, whereby the smallest beside them may be dropped; moments
  /// leave them to the full pass.
  @inline(__always) static func isPlain(_ size: Double) -> Bool {
    size >= 0x1p-400 && size <= 0x1p400
  }

  init(capacity: Int) {
    self.capacity = max(capacity, 8)
    units = .allocate(capacity: self.capacity)
    high = .allocate(capacity: self.capacity)
    low = .allocate(capacity: self.capacity)
  }

  deinit {
    units.deallocate()
    high.deallocate()
    low.deallocate()
  }

  /// From the first flow to the last.
  var span: Int32 { count == 0 ? 0 : units[count - 1] - units[0] }

  /// The status of a series without a change of sign.
  var statusOfOneSign: IRRStatus {
    if count > 0, high[0] < 0, endsAtZero, lastUnit > units[0] { return .totalLoss }
    return count < 2 ? .tooShort : .noSignChange
  }

  /// Takes `count` flows in ascending order, and nets them; false if the order is another.
  @inline(__always) mutating func load(
    count flowCount: Int, closing: Double?, flow: (Int) -> (unit: Int32, amount: Double)
  ) -> Bool {
    reserve(flowCount)
    return loadPlain(flowCount, flow: flow)
      || loadNetting(count: flowCount, closing: closing, flow: flow)
  }

  /// Takes what most series are: one flow a date, ascending, none of them zero or of extraordinary
  /// size; false if this one is not.
  @inline(__always) private mutating func loadPlain(
    _ flowCount: Int, flow: (Int) -> (unit: Int32, amount: Double)
  ) -> Bool {
    guard flowCount > 0 else { return false }
    let (units, high) = (units, high)
    var (last, before) = flow(0)
    var changes: UInt64 = 0
    var isOrdered = Self.isPlain(abs(before))
    units[0] = last
    high[0] = before
    var index = 1
    while index < flowCount {
      let (unit, amount) = flow(index)
      isOrdered = isOrdered && unit > last && Self.isPlain(abs(amount))
      changes &+= (amount.bitPattern ^ before.bitPattern) >> 63
      units[index] = unit
      high[index] = amount
      (last, before) = (unit, amount)
      index &+= 1
    }
    guard isOrdered else { return false }
    isFinite = true
    hasOneFlowADate = true
    endsAtZero = false
    count = flowCount
    lastUnit = last
    signChanges = Int(changes)
    if changes > 0 { findFirstChange() }
    return true
  }

  /// Takes any flows in ascending order; false if the order is another.
  @inline(__always) private mutating func loadNetting(
    count flowCount: Int, closing: Double?, flow: (Int) -> (unit: Int32, amount: Double)
  ) -> Bool {
    hasOneFlowADate = false
    let (units, high, low) = (units, high, low)
    var next = 0
    var last = Int32.min
    var gross = 0.0
    var largest = 0.0
    var isMixed = false
    var isFinite = true
    var index = 0
    while index < flowCount {
      let (unit, amount) = flow(index)
      index &+= 1
      let size = abs(amount)
      largest = size > largest ? size : largest
      isFinite = isFinite && size < .infinity
      if unit > last {
        if isMixed {
          next = Self.settled(high, next, gross: gross)
          isMixed = false
        }
        last = unit
        gross = size
        units[next] = unit
        high[next] = amount
        low[next] = 0
        // A zero is overwritten by the next date, unless its own date goes on.
        next &+= amount == 0 ? 0 : 1
      } else if unit == last {
        next = merge(amount, into: next, startsDate: gross == 0, unit: unit)
        gross += size
        if gross > largest { largest = gross }
        isMixed = gross > 0
      } else {
        return false
      }
    }
    self.isFinite = isFinite
    if isMixed { next = Self.settled(high, next, gross: gross) }
    self.count = next
    lastUnit = last
    endsAtZero = closing.map { $0 == 0 } ?? (gross == 0)
    if !Self.isPlain(largest) { rescale(by: largest) }
    countChanges()
    return true
  }

  /// Adds a flow to its date's net.
  private func merge(_ amount: Double, into next: Int, startsDate: Bool, unit: Int32) -> Int {
    if startsDate {
      guard amount != 0 else { return next }
      units[next] = unit
      high[next] = amount
      low[next] = 0
      return next + 1
    }
    let total = DoubleDouble.sum(high[next - 1], amount)
    let net = DoubleDouble.sum(total.high, total.low + low[next - 1])
    high[next - 1] = net.high
    low[next - 1] = net.low
    return next
  }

  /// The count without the last date if it came to nothing.
  private static func settled(
    _ high: UnsafeMutablePointer<Double>, _ next: Int, gross: Double
  ) -> Int {
    abs(high[next - 1]) > 4 * ulp * gross ? next : next - 1
  }

  private mutating func countChanges() {
    signChanges = 0
    guard count > 1 else { return }
    var changes: UInt64 = 0
    for index in 1..<count {
      changes &+= (high[index].bitPattern ^ high[index &- 1].bitPattern) >> 63
    }
    signChanges = Int(changes)
    if changes > 0 { findFirstChange() }
  }

  private mutating func findFirstChange() {
    if signChanges == 1 {
      // Everything left of it has the first sign, everything right of it the last.
      var (left, right) = (0, count - 1)
      let start = high[0] < 0
      while right - left > 1 {
        let middle = (left + right) / 2
        if (high[middle] < 0) == start { left = middle } else { right = middle }
      }
      firstChange = right
      return
    }
    var index = 1
    while (high[index] < 0) == (high[0] < 0) { index &+= 1 }
    firstChange = index
  }

  private mutating func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    units.deallocate()
    high.deallocate()
    low.deallocate()
    capacity = max(needed, capacity * 2)
    units = .allocate(capacity: capacity)
    high = .allocate(capacity: capacity)
    low = .allocate(capacity: capacity)
  }

  /// Brings amounts of extraordinary size near 1, by an exact power of two.
  ///
  /// Beside amounts that need it, what is 2^1000 times smaller does not survive, and is dropped.
  private mutating func rescale(by largest: Double) {
    guard largest > 0, largest < .infinity else { return }
    let shift = -Int(largest.exponent)
    let all = count
    count = 0
    for index in 0..<all {
      var (scaledHigh, scaledLow) = (high[index], low[index])
      // In two steps: 2^1074 itself is not a double.
      for half in [shift / 2, shift - shift / 2] {
        let factor = Double(sign: .plus, exponent: half, significand: 1)
        scaledHigh *= factor
        scaledLow *= factor
      }
      guard abs(scaledHigh) > 0x1p-1000 else { continue }
      units[count] = units[index]
      high[count] = scaledHigh
      low[count] = scaledLow
      count += 1
    }
  }

  /// The sign of the sum of present values at growth `numerator / denominator` a unit, decided in
  /// double-double arithmetic.
  func sign(atGrowth numerator: Double, over denominator: Double) -> Int {
    let total = presentValue(at: .quotient(numerator, denominator)).total.high
    return total < 0 ? -1 : total > 0 ? 1 : 0
  }

  /// The sum of present values, and that of their magnitudes, seen from the end at which no power
  /// exceeds 1.
  func presentValue(at rate: DoubleDouble) -> (total: DoubleDouble, gross: Double) {
    let isForward = rate.high >= 0
    let base = isForward ? units[0] : units[count - 1]
    let decay = isForward ? rate * DoubleDouble(-1) : rate
    let powers = PowerTable(decay, span: Int(span), uses: count)
    var (total, rest, gross) = (0.0, 0.0, 0.0)
    for index in 0..<count {
      let weight = powers[Int(abs(units[index] - base))]
      let value = DoubleDouble.product(high[index], weight.high)
      let next = DoubleDouble.sum(total, value.high)
      total = next.high
      // Small things, of which a double holds enough digits.
      rest += next.low + (value.low + high[index] * weight.low)
      if !hasOneFlowADate { rest += low[index] * weight.high }
      gross += abs(value.high)
    }
    return (.sum(total, rest), gross)
  }
}

/// Whole powers of an exponential, in double-double.
private struct PowerTable {
  private let exponent: DoubleDouble
  private var low: [DoubleDouble] = []
  private var high: [DoubleDouble] = []

  /// - Parameter uses: How many powers will be asked for: a table must be worth its making.
  init(_ exponent: DoubleDouble, span: Int, uses: Int) {
    self.exponent = exponent
    guard uses > 24, span / 64 < uses * 4 else { return }
    low = Self.powers(of: exponent.exponential, count: 64)
    high = Self.powers(of: (exponent * DoubleDouble(64)).exponential, count: span / 64 + 1)
  }

  private static func powers(of base: DoubleDouble, count: Int) -> [DoubleDouble] {
    var table = [DoubleDouble(1)]
    table.reserveCapacity(count)
    for index in 1..<max(count, 2) {
      // By halves: the error grows with the logarithm's depth, not with each step.
      let half = index / 2
      table.append(half == 0 ? base : table[half] * table[index - half])
    }
    return table
  }

  subscript(power: Int) -> DoubleDouble {
    guard !low.isEmpty else { return (exponent * DoubleDouble(Double(power))).exponential }
    return low[power & 63] * high[power >> 6]
  }
}
