import Glibc

/// The past flows of a series as present-value moments: what a night needs to know of them to
/// solve an internal rate of return without reading them.
///
/// With s the years from a centre date and g₀ the growth of the last full solve, the flows of each
/// sign are kept as Mₖ = Σ aᵢ sᵢᵏ e^(−sᵢ g₀), k = 0 … 8. At another growth g = g₀ + x their present
/// value is Σ Mₖ (−x)ᵏ/k!, whatever their number.
///
/// **Why an answer is the full pass's answer, bit for bit.** `solve` answers only after it has
/// (1) counted one sign change in the netted series, so that there is one root (Descartes' rule
/// for exponential sums), (2) shown a change of sign between g − η and g + η that exceeds every
/// error made on the way, and (3) found that all of [g − η, g + η] rounds to one value of
/// `GrowthGrid`. The true root lies there, and the full pass rounds the true root correctly. In
/// every other case it gives nil, and the caller reads the flows.
///
/// **The errors**, relative to Σ|aᵢ| e^(−sᵢ g₀) of both signs and with u = 2⁻⁵³: each factor of a
/// term is off by a few u, its exponent by 2u|s g₀|; a compensated sum adds 2u, each flow added
/// later u; Horner's rule 2u a step; netting flows of one date, as the full pass does, u. Cutting
/// the series after k = 7 leaves at most A₈ |x|⁸/8! e^(|s||x|), A₈ being the moment of absolute
/// values that is kept for this.
public struct FlowMoments: Sendable, Hashable {
  /// Powers 0 … 7 are summed; the ninth number is Σ|aᵢ||sᵢ|⁸ e^(−sᵢ g₀).
  private static let termCount = 8
  typealias Sums = InlineArray<9, Double>

  /// Of what was received (index 0) and of what was paid (1); both counted positive.
  var received: Side
  var paid: Side
  var growth: Double
  /// The date from which s counts.
  var center: Int32
  var firstDay: Int32
  var lastDay: Int32
  /// What the flows of the last date come to.
  var lastNet: Double
  /// Of the netted dates before the last: the sign of the latest that is not zero, and how often
  /// it changed.
  var earlierSign: Int8
  var signChanges: UInt8
  var additions: UInt16
  /// Whether a full pass must always be taken: out of order, or the first date came to nothing.
  var isUnusual = false

  struct Side: Sendable, Hashable {
    var sums = Sums(repeating: 0)

    static func == (left: Side, right: Side) -> Bool {
      (0..<9).allSatisfy { left.sums[$0] == right.sums[$0] }
    }

    func hash(into hasher: inout Hasher) {
      for index in 0..<9 { hasher.combine(sums[index]) }
    }

    var isEmpty: Bool { sums[0] == 0 }
  }

  /// The moments of a series.
  ///
  /// - Parameters:
  ///   - flows: Ascending by date; those of one date are netted.
  ///   - growth: Where they are expanded: the series' own log growth, or 0.
  public init(flows: [DatedFlow], expandedAt growth: Double) {
    self.growth = growth.isFinite && abs(growth) < 20 ? growth : 0
    firstDay = flows.first?.day.number ?? 0
    lastDay = firstDay
    center = firstDay + ((flows.last?.day.number ?? 0) - firstDay) / 2
    received = Side()
    paid = Side()
    lastNet = 0
    earlierSign = 0
    signChanges = 0
    additions = 0
    var lost = (received: Side(), paid: Side())
    for (index, flow) in flows.enumerated() {
      note(flow.day.number, flow.amount, isFirst: index == 0)
      if flow.amount > 0 {
        accumulate(flow, into: &received, lost: &lost.received)
      } else if flow.amount < 0 {
        accumulate(flow, into: &paid, lost: &lost.paid)
      }
    }
    for index in 0..<9 {
      received.sums[index] += lost.received.sums[index]
      paid.sums[index] += lost.paid.sums[index]
    }
    if flows.isEmpty { isUnusual = true }
  }

  /// Adds a flow; not before the last one's date, else only full passes tell the rate from now on.
  public mutating func add(day: Day, amount: Double) {
    note(day.number, amount, isFirst: false)
    additions = additions == .max ? .max : additions + 1
    guard amount != 0 else { return }
    var unused = Side()
    let flow = DatedFlow(day: day, amount: amount)
    if amount > 0 {
      accumulate(flow, into: &received, lost: &unused)
      for index in 0..<9 { received.sums[index] += unused.sums[index] }
    } else {
      accumulate(flow, into: &paid, lost: &unused)
      for index in 0..<9 { paid.sums[index] += unused.sums[index] }
    }
  }

  /// Keeps the order of dates and signs.
  private mutating func note(_ day: Int32, _ amount: Double, isFirst: Bool) {
    if isFirst || day == lastDay {
      lastNet = isFirst ? amount : lastNet + amount
      return
    }
    if day < lastDay || (lastDay == firstDay && lastNet == 0) || !amount.isFinite {
      isUnusual = true
    }
    settle(lastNet, &earlierSign, &signChanges)
    lastDay = day
    lastNet = amount
  }

  private func settle(_ net: Double, _ sign: inout Int8, _ changes: inout UInt8) {
    let next: Int8 = net > 0 ? 1 : net < 0 ? -1 : 0
    guard next != 0 else { return }
    if sign != 0, sign != next { changes = changes == .max ? .max : changes + 1 }
    sign = next
  }

  /// Neumaier's sum: what an addition loses goes into `lost`.
  private func accumulate(_ flow: DatedFlow, into side: inout Side, lost: inout Side) {
    let years = Double(flow.day.number - center) / 365
    var term = abs(flow.amount) * exp(-years * growth)
    for power in 0..<9 {
      let value = power == 8 ? abs(term) : term
      let sum = side.sums[power] + value
      lost.sums[power] +=
        abs(side.sums[power]) >= abs(value)
        ? (side.sums[power] - sum) + value : (value - sum) + side.sums[power]
      side.sums[power] = sum
      term *= years
    }
  }

  // MARK: - Solving

  private static let roundoff = 1.1102230246251565e-16

  /// Solves the series with a closing value on a date, not before its last flow.
  ///
  /// - Returns: What the full pass gives, or nil where only that can tell.
  public func solve(closingValue: Double, on day: Day) -> IRRResult? {
    guard !isUnusual, additions < 256, closingValue != 0, closingValue.isFinite,
      day.number >= lastDay, day.number > firstDay, hasOneSignChange(closingValue, on: day.number)
    else { return nil }
    let equation = Equation(
      moments: self, closingValue: closingValue, years: Double(day.number - center) / 365)
    guard let (offset, margin) = equation.root() else { return nil }
    let root = growth + offset
    let error = margin + 4 * Self.roundoff * abs(root)
    guard abs(root) < 8, let rounded = GrowthGrid.certain(root, error: error) else { return nil }
    return IRRResult(
      growth: rounded, roots: 1, span: day.number - firstDay, unitsPerYear: 365, nominal: false)
  }

  private func hasOneSignChange(_ closingValue: Double, on day: Int32) -> Bool {
    var (sign, changes) = (earlierSign, signChanges)
    if day == lastDay {
      let net = lastNet + closingValue
      // A last date that comes to nothing, or to rounding, shortens the series.
      guard abs(net) > 1e-9 * abs(closingValue) else { return false }
      settle(net, &sign, &changes)
    } else {
      settle(lastNet, &sign, &changes)
      settle(closingValue, &sign, &changes)
    }
    return changes == 1
  }

  /// F(x) = what was received − what was paid, at growth g₀ + x.
  private struct Equation {
    let moments: FlowMoments
    let closingValue: Double
    /// From the centre to the closing date.
    let years: Double
    /// The largest |s| of a flow.
    let reach: Double

    init(moments: FlowMoments, closingValue: Double, years: Double) {
      self.moments = moments
      self.closingValue = closingValue
      self.years = years
      let center = moments.center
      reach = Double(max(center - moments.firstDay, moments.lastDay - center)) / 365
    }

    /// The value and the slope; both sides' magnitude beside them for the error.
    func value(_ x: Double) -> (value: Double, slope: Double, magnitude: Double) {
      let closing = closingValue * exp(-years * (moments.growth + x))
      var (value, slope, magnitude) = (closing, -years * closing, abs(closing))
      if !moments.received.isEmpty {
        let (sum, change) = polynomial(moments.received.sums, x)
        value += sum
        slope += change
        magnitude += abs(sum)
      }
      if !moments.paid.isEmpty {
        let (sum, change) = polynomial(moments.paid.sums, x)
        value -= sum
        slope -= change
        magnitude += abs(sum)
      }
      return (value, slope, magnitude)
    }

    /// Σ Mₖ (−x)ᵏ/k! for k = 0 … 7, and its derivative.
    @inline(__always) private func polynomial(
      _ sums: InlineArray<9, Double>, _ x: Double
    ) -> (Double, Double) {
      var value = sums[7]
      var slope = 0.0
      for power in stride(from: 6, through: 0, by: -1) {
        let factor = -x / Double(power + 1)
        slope = slope * factor - value / Double(power + 1)
        value = value * factor + sums[power]
      }
      return (value, slope)
    }

    /// What the value may be off by.
    func error(at x: Double, magnitude: Double) -> Double {
      let spread = exp(reach * abs(x))
      let absolute =
        (moments.received.sums[0] + moments.paid.sums[0]) * spread + magnitude
      let exponent = (reach + abs(years)) * (abs(moments.growth) + abs(x))
      let rounding = (64 + Double(moments.additions) + 4 * exponent) * FlowMoments.roundoff
      let x2 = x * x
      let x8 = x2 * x2 * x2 * x2
      let cut = (moments.received.sums[8] + moments.paid.sums[8]) * x8 / 40_320 * spread
      return rounding * absolute + 1.01 * cut
    }

    /// Newton's method from the old growth, then the proof.
    func root() -> (offset: Double, margin: Double)? {
      var x = 0.0
      for _ in 0..<12 {
        let (value, slope, _) = self.value(x)
        guard slope != 0, value.isFinite else { return nil }
        let step = value / slope
        x -= step
        guard abs(x) * reach < 1, abs(x) < 4 else { return nil }
        if abs(step) <= 1e-13 * max(1, abs(x)) { return prove(x) }
      }
      return nil
    }

    /// A change of sign around x that exceeds all errors.
    private func prove(_ x: Double) -> (offset: Double, margin: Double)? {
      let (value, slope, magnitude) = self.value(x)
      let margin = 2 * (abs(value) + error(at: x, magnitude: magnitude)) / abs(slope)
      // A margin beyond half a step of the grid cannot be certain anyway.
      guard margin < 4e-12 else { return nil }
      let low = self.value(x - margin)
      let high = self.value(x + margin)
      guard (low.value < 0) != (high.value < 0),
        abs(low.value) > error(at: x - margin, magnitude: low.magnitude),
        abs(high.value) > error(at: x + margin, magnitude: high.magnitude)
      else { return nil }
      return (x, margin)
    }
  }
}
