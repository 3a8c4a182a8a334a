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
  /// What `high` cannot hold of them.
  private(set) var low: UnsafeMutablePointer<Double>
  private(set) var count = 0
  private var capacity: Int

  /// How often the sign of the nets changes.
  private(set) var signChanges = 0
  /// Whether a flow came before an earlier one; the series is then not usable.
  private(set) var isUnsorted = false
  /// Whether every amount was a number, and none infinite.
  private(set) var isFinite = true
  /// Whether what lies at the end is worth exactly nothing, and says so.
  var endsAtZero = false

  private var currentUnit: Int32 = .min
  private var current = DoubleDouble(0)
  private var gross = 0.0
  private var lastUnit: Int32 = .min

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

  mutating func removeAll() {
    count = 0
    signChanges = 0
    isUnsorted = false
    isFinite = true
    endsAtZero = false
    currentUnit = .min
    current = DoubleDouble(0)
    gross = 0
  }

  @inline(__always) mutating func append(unit: Int32, amount: Double) {
    if unit != currentUnit {
      isUnsorted = isUnsorted || unit < currentUnit
      if currentUnit != .min { push() }
      currentUnit = unit
      current = DoubleDouble(amount)
      gross = abs(amount)
    } else {
      let total = DoubleDouble.sum(current.high, amount)
      current = DoubleDouble.sum(total.high, total.low + current.low)
      gross += abs(amount)
    }
    endsAtZero = gross == 0
  }

  mutating func finish() {
    guard currentUnit != .min else { return }
    push()
    lastUnit = currentUnit
    rescale()
  }

  @inline(__always) private mutating func push() {
    guard gross < .infinity else {
      isFinite = false
      return
    }
    guard abs(current.high) > 4 * ulp * gross else { return }
    if count == capacity { grow() }
    store(currentUnit, current)
  }

  @inline(__always) private mutating func store(_ unit: Int32, _ net: DoubleDouble) {
    units[count] = unit
    high[count] = net.high
    low[count] = net.low
    if count > 0, (high[count - 1] < 0) != (net.high < 0) { signChanges += 1 }
    count += 1
  }

  private mutating func grow() {
    let larger = capacity * 2
    Self.grow(&units, count: count, to: larger)
    Self.grow(&high, count: count, to: larger)
    Self.grow(&low, count: count, to: larger)
    capacity = larger
  }

  private static func grow<Element>(
    _ pointer: inout UnsafeMutablePointer<Element>, count: Int, to capacity: Int
  ) {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.moveInitialize(from: pointer, count: count)
    pointer.deallocate()
    pointer = larger
  }

  /// Brings amounts of extraordinary size near 1, by an exact power of two.
  ///
  /// Beside amounts that need it, what is 2^1000 times smaller does not survive, and is dropped.
  private mutating func rescale() {
    var largest = 0.0
    for index in 0..<count { largest = max(largest, abs(high[index])) }
    guard count > 0, largest > 0x1p400 || largest < 0x1p-400 else { return }
    let shift = -Int(largest.exponent)
    let all = count
    count = 0
    signChanges = 0
    for index in 0..<all {
      var (scaledHigh, scaledLow) = (high[index], low[index])
      // In two steps: 2^1074 itself is not a double.
      for half in [shift / 2, shift - shift / 2] {
        let factor = Double(sign: .plus, exponent: half, significand: 1)
        scaledHigh *= factor
        scaledLow *= factor
      }
      guard abs(scaledHigh) > 0x1p-1000 else { continue }
      store(units[index], DoubleDouble(scaledHigh, scaledLow))
    }
  }

  /// The sign of the sum of present values at growth `numerator / denominator` a unit, decided in
  /// double-double arithmetic.
  func sign(atGrowth numerator: Double, over denominator: Double) -> Int {
    let rate = DoubleDouble.quotient(numerator, denominator)
    // Seen from the end at which no power exceeds 1.
    let base = numerator >= 0 ? units[0] : units[count - 1]
    var total = DoubleDouble(0)
    for index in 0..<count {
      let distance = DoubleDouble(-Double(units[index] - base))
      let weight = (rate * distance).exponential
      total = total + DoubleDouble(high[index], low[index]) * weight
    }
    return total.high < 0 ? -1 : total.high > 0 ? 1 : 0
  }
}
