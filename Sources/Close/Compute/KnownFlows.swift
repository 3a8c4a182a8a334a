internal import Accounting
internal import Storage

/// The flows behind one money-weighted return, as far as they are known: their moments, which
/// answer most nights, or the flows themselves.
///
/// Whichever answers, the stored result is the same: a warm answer is given only where it
/// provably rounds to what the full pass gives (see `FlowMoments`).
struct KnownFlows {
  /// Nil where only a full pass can tell.
  var moments: FlowMoments?
  /// Every flow so far, ascending; nil where they were not read.
  var flows: [DatedFlow]?

  /// A series without any flow yet.
  static let empty = KnownFlows(moments: nil, flows: [])

  mutating func add(_ event: FlowEvent) {
    add(CollectionOfOne(DatedFlow(day: event.day, amount: event.amount.approximate)))
  }

  mutating func add(_ more: some Collection<DatedFlow>) {
    for flow in more { moments?.add(day: flow.day, amount: flow.amount) }
    flows?.append(contentsOf: more)
  }

  /// The return to `date`, or nil where the flows have to be read first.
  mutating func solve(
    closingValue: Money, on date: Day, _ convention: IRRConvention
  ) -> IRRResult? {
    let value = closingValue.approximate
    if convention == .xirrAct365, let warm = moments?.solve(closingValue: value, on: date) {
      return warm
    }
    guard let flows else { return nil }
    let cold = InternalRate.solve(flows, closingValue: value, on: date, convention: convention)
    moments = FlowMoments(flows: flows, expandedAt: cold.logGrowth ?? 0)
    return cold
  }
}

/// A portfolio's series: its own external flows and each holding's, packed into one value between
/// nights.
struct FlowLedger {
  /// The portfolio's external flows.
  var portfolio: KnownFlows
  /// The holdings' own, ascending: ten or so, found and changed in place.
  private var holdings: [(holding: ID<Holding>, series: KnownFlows)] = []
  /// What a holding without an entry is: empty before the first close, unknown after it.
  private let absent: KnownFlows
  /// Whether anything was learnt that the packed value does not say.
  var isChanged = false
  /// All flows up to and with this date are in; nothing can be told of a date before it.
  var knownThrough = Day.earliest - 1

  /// The ledger of a portfolio before its first flow.
  static let empty = FlowLedger(portfolio: .empty, absent: .empty)

  /// Nothing is known: whatever is asked must be read first.
  static let unknown = FlowLedger(portfolio: KnownFlows(), absent: KnownFlows())

  private init(portfolio: KnownFlows, absent: KnownFlows) {
    self.portfolio = portfolio
    self.absent = absent
  }

  /// Where a holding's series stands; there is one from now on.
  private mutating func position(of holding: ID<Holding>) -> Int {
    var low = 0
    var high = holdings.count
    while low < high {
      let middle = (low + high) / 2
      if holdings[middle].holding < holding { low = middle + 1 } else { high = middle }
    }
    if low == holdings.count || holdings[low].holding != holding {
      holdings.insert((holding, absent), at: low)
    }
    return low
  }

  /// Puts another series in the place of a holding's.
  mutating func set(_ series: KnownFlows, of holding: ID<Holding>) {
    holdings[position(of: holding)].series = series
  }

  /// Adds what a close booked; within it each series is put in the order of dates.
  mutating func add(_ events: [FlowEvent]) {
    for event in events.sorted(by: { $0.day < $1.day }) {
      isChanged = true
      if let holding = event.holding {
        holdings[position(of: holding)].series.add(event)
      } else {
        portfolio.add(event)
      }
    }
  }

  mutating func solve(
    _ holding: ID<Holding>, closingValue: Money, on date: Day, _ convention: IRRConvention
  ) -> IRRResult? {
    let index = position(of: holding)
    if holdings[index].series.flows != nil { isChanged = true }
    return holdings[index].series.solve(closingValue: closingValue, on: date, convention)
  }

  mutating func solvePortfolio(
    closingValue: Money, on date: Day, _ convention: IRRConvention
  ) -> IRRResult? {
    if portfolio.flows != nil { isChanged = true }
    return portfolio.solve(closingValue: closingValue, on: date, convention)
  }

  // MARK: - Packing

  /// The ledger that was packed, or nil where the bytes are of another version.
  ///
  /// A record a series: the holding's key (0 for the portfolio's own), then the moments.
  init?(unpacking bytes: [UInt8]) {
    self = .unknown
    holdings.reserveCapacity(bytes.count / 129)
    var rest = bytes[...]
    while !rest.isEmpty {
      guard rest.count > 8 else { return nil }
      let key = rest.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
      rest = rest.dropFirst(8)
      guard let moments = FlowMoments(unpacking: &rest) else { return nil }
      let series = KnownFlows(moments: moments)
      if key == 0 { portfolio = series } else { append(series, of: ID(Int64(littleEndian: key))) }
    }
  }

  /// They were packed in their order.
  private mutating func append(_ series: KnownFlows, of holding: ID<Holding>) {
    if holdings.last.map({ $0.holding < holding }) ?? true {
      holdings.append((holding, series))
    } else {
      set(series, of: holding)
    }
  }

  /// The moments of the portfolio and of the holdings that are still open; one that is bought
  /// again later has its history read once.
  ///
  /// - Parameter open: Ascending.
  func packed(keeping open: some Sequence<ID<Holding>>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((holdings.count + 1) * 140)
    func append(_ key: Int64, _ series: KnownFlows) {
      let fromFlows = series.flows.map { FlowMoments(flows: $0, expandedAt: 0) }
      guard let moments = series.moments ?? fromFlows else { return }
      withUnsafeBytes(of: key.littleEndian) { bytes.append(contentsOf: $0) }
      moments.pack(into: &bytes)
    }
    append(0, portfolio)
    var rest = holdings[...]
    for holding in open {
      rest = rest.drop { $0.holding < holding }
      if let next = rest.first, next.holding == holding { append(holding.rawValue, next.series) }
    }
    return bytes
  }
}
