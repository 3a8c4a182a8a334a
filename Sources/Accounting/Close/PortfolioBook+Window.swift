extension PortfolioBook {
  /// Applies everything that happened in a window to cash and to all holdings.
  ///
  /// In two phases: what happened is collected and put in order first, then it is applied, holding
  /// by holding. Only those between which lots pass go forward together, in the order of dates, as
  /// far as they have to; what is left to them is theirs alone like everybody's.
  mutating func apply(
    _ activities: [Activity], _ statements: [FundStatement], in window: Window
  ) throws(CloseError) -> WindowTotals {
    let collected = CollectedEvents(
      activities: try ordered(activities, in: window),
      statements: try ordered(statements, in: window))
    var totals = WindowTotals()
    var places = collected.places(of: nil)
    for activity in collected.activities[places.activities] {
      try applyToCash(try window.entry(activity), totals: &totals)
    }
    var ahead = try passLots(collected, in: window)
    for index in ledgers.indices {
      collected.advance(&places, to: ledgers[index].holding)
      if !ahead.isEmpty, let place = ahead.firstIndex(where: { $0.index == index }) {
        totals += ahead[place].totals
        try ledgers[index].advance(through: &ahead[place].events, in: window, totals: &totals)
        continue
      }
      // On a usual night this is as far as nearly all holdings come.
      if places.activities.isEmpty, places.statements.isEmpty,
        ledgers[index].position.quantity.isZero
          || !window.hasActions(of: ledgers[index].instrument.id)
      {
        continue
      }
      var events = collected.events(places, of: ledgers[index].instrument.id, in: window)
      try ledgers[index].advance(through: &events, in: window, totals: &totals)
    }
    return totals
  }

  /// A holding that went ahead of the others, as far as lots passed.
  private struct Forerunner {
    let index: Int
    var events: HoldingEvents
    /// What it did on the way; it counts in the order of holdings.
    var totals = WindowTotals()
  }

  /// Takes the holdings between which lots pass up to each reorganisation, and passes them.
  private mutating func passLots(
    _ collected: CollectedEvents, in window: Window
  ) throws(CloseError) -> [Forerunner] {
    var ahead: [Forerunner] = []
    for event in window.reorganisations {
      guard let holding = self.holding(of: event.source) else { continue }
      let source = try advance(holding, to: event.order, &ahead, collected, in: window)
      let ledger = ledgers[ahead[source].index]
      if ledger.isFlat { continue }
      var target: Int?
      if let holding = event.target.flatMap({ self.holding(of: $0) }) {
        target = try advance(holding, to: event.order, &ahead, collected, in: window)
      }
      let terms = ReorganisationTerms(
        event: event, source: ledger, target: target.map { ledgers[ahead[$0].index] },
        window: window)
      guard let legs = try terms.legs() else { continue }
      for (place, leg) in [(source, legs.out), (target, legs.in)] {
        guard let place, let leg else { continue }
        try ledgers[ahead[place].index].apply(leg, in: window, totals: &ahead[place].totals)
        ahead[place].totals.legs.append(leg)
      }
    }
    return ahead
  }

  /// Applies what happened to a holding before a place in the order; where it then stands.
  private mutating func advance(
    _ holding: ID<Holding>, to end: BookingOrder, _ ahead: inout [Forerunner],
    _ collected: CollectedEvents, in window: Window
  ) throws(CloseError) -> Int {
    guard let index = index(of: holding) else {
      throw .unknownHolding(holding, date: end.day)
    }
    let place = ahead.firstIndex { $0.index == index } ?? ahead.count
    if place == ahead.count {
      let events = collected.events(
        collected.places(of: holding), of: ledgers[index].instrument.id, in: window)
      ahead.append(Forerunner(index: index, events: events))
    }
    var one = ahead[place]
    try ledgers[index].advance(through: &one.events, before: end, in: window, totals: &one.totals)
    ahead[place] = one
    return place
  }

  /// The activities of the window, by holding (cash first), booking date, date and key.
  private func ordered(
    _ activities: [Activity], in window: Window
  ) throws(CloseError) -> [Activity] {
    var rows: [Activity] = []
    for activity in activities {
      guard window.contains(activity.bookingDate) else { continue }
      if let holding = activity.holding, index(of: holding) == nil {
        throw .unknownHolding(holding, date: activity.date)
      }
      guard activity.fee >= .zero else { throw .wrongSign(reference(activity), "fee") }
      guard activity.date >= portfolio.inception else {
        throw .beforeInception(reference(activity), inception: portfolio.inception)
      }
      rows.append(activity)
    }
    rows.sort {
      ($0.owner, $0.bookingDate, $0.date, $0.id) < ($1.owner, $1.bookingDate, $1.date, $1.id)
    }
    for (row, next) in zip(rows, rows.dropFirst())
    where (row.owner, row.date, row.id) == (next.owner, next.date, next.id) {
      throw .duplicateActivity(reference(next))
    }
    return rows
  }

  /// An activity as an error names it, by its holding's symbol.
  private func reference(_ activity: Activity) -> ActivityReference {
    let index = activity.holding.flatMap { self.index(of: $0) }
    return ActivityReference(activity, symbol: index.map { ledgers[$0].instrument.symbol })
  }

  private func ordered(
    _ statements: [FundStatement], in window: Window
  ) throws(CloseError) -> [FundStatement] {
    var rows = statements.filter { window.contains($0.date) }
    rows.sort { ($0.holding, $0.date) < ($1.holding, $1.date) }
    var previous: FundStatement?
    for row in rows {
      guard let index = index(of: row.holding) else {
        throw .unknownHolding(row.holding, date: row.date)
      }
      let symbol = ledgers[index].instrument.symbol
      guard row.value >= .zero else {
        throw .negativeStatement(symbol: symbol, date: row.date, value: row.value)
      }
      if let previous, (previous.holding, previous.date) == (row.holding, row.date) {
        throw .duplicateStatement(symbol: symbol, date: row.date)
      }
      previous = row
    }
    return rows
  }
}

/// What happened in a window, in order: to cash, and to each holding.
private struct CollectedEvents {
  /// By holding (cash first), booking date, date and key.
  let activities: [Activity]
  /// By holding and date.
  let statements: [FundStatement]

  /// Where what happened to a holding stands.
  struct Places {
    var activities: Range<Int>
    var statements: Range<Int>
  }

  /// Where what happened to a holding, or to cash, stands.
  func places(of holding: ID<Holding>?) -> Places {
    let owner = holding?.rawValue ?? .min
    let activity = activities.count(while: { $0.owner < owner })
    let statement = statements.count(while: { $0.holding.rawValue < owner })
    return Places(
      activities: activity..<activities.count(while: { $0.owner <= owner }),
      statements: statement..<statements.count(while: { $0.holding.rawValue <= owner }))
  }

  /// Goes on to the next holding: cheaper than to look for each.
  func advance(_ places: inout Places, to holding: ID<Holding>) {
    var (activity, statement) = (places.activities.upperBound, places.statements.upperBound)
    while activity < activities.count, activities[activity].holding == holding { activity += 1 }
    while statement < statements.count, statements[statement].holding == holding { statement += 1 }
    places.activities = places.activities.upperBound..<activity
    places.statements = places.statements.upperBound..<statement
  }

  func events(
    _ places: Places, of instrument: ID<Instrument>, in window: Window
  ) -> HoldingEvents {
    HoldingEvents(
      activities[places.activities], statements[places.statements],
      window.actions(of: instrument)[...])
  }
}

extension Activity {
  /// Its holding's key, or what sorts before every key.
  fileprivate var owner: Int64 { holding?.rawValue ?? .min }
}
