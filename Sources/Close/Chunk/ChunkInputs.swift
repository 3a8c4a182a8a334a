internal import Accounting
internal import Postgres
internal import Storage

/// Everything that a chunk of segments is computed from, as one database snapshot showed it.
struct ChunkInputs {
  /// One portfolio's inputs.
  struct Book {
    var opening: StoredOpening?
    var holdings: ArraySlice<StoredHolding> = []
    var cashBalances: ArraySlice<StoredCashBalance> = []
    var receivables: [Receivable] = []
    /// Of the whole history for a segment that reads it, else since the opening.
    var activities: ArraySlice<StoredActivity> = []
    var statements: ArraySlice<StoredStatement> = []
    var moments: StoredMoments?
    /// Of valued holdings that were flat at the opening, the last statement before.
    var statementDates: [ID<Holding>: Day] = [:]
    /// Holdings without a row of their own, to or from which corporate actions pass units.
    var kin: [StoredFund] = []
  }

  var books: [ID<Portfolio>: Book]
  var market: LoadedMarket

  /// A statement or two a kind of input, whatever the number of segments.
  static func load(
    _ segments: [ChainSegment], market: LoadedMarket, on db: isolated Connection
  ) throws -> ChunkInputs {
    let ranges = segments.map {
      LoadRange(portfolio: $0.portfolio.id, openedFrom: $0.openedFrom, through: $0.through)
    }
    let fromTheFirst = zip(segments, ranges).map { segment, range in
      LoadRange(
        portfolio: range.portfolio, openedFrom: segment.readsHistory ? nil : range.openedFrom,
        through: range.through)
    }
    var books = try Dictionary(
      rows: segments.map { ($0.portfolio.id, Book()) }, of: "portfolios", name: { "id \($0)" })
    for opening in try Loading.openings(ranges, on: db) {
      books[opening.portfolio]?.opening = opening
    }
    // Nearly always nothing is.
    let owed = books.values.compactMap { book in
      book.opening.flatMap { opening in
        opening.receivableCount > 0
          ? Slot(portfolio: opening.portfolio, date: opening.date) : nil
      }
    }
    if !owed.isEmpty {
      for row in try Loading.receivables(at: owed, on: db) {
        books[row.slot.portfolio]?.receivables.append(row.receivable)
      }
    }
    for rows in try Loading.holdings(ranges, on: db).runs(of: \.portfolio) {
      books[rows[rows.startIndex].portfolio]?.holdings = rows
    }
    let perCurrency = zip(segments, ranges).filter { $0.0.portfolio.cashMode == .perCurrency }
    if !perCurrency.isEmpty {
      for rows in try Loading.cashBalances(perCurrency.map(\.1), on: db).runs(of: \.portfolio) {
        books[rows[rows.startIndex].portfolio]?.cashBalances = rows
      }
    }
    for rows in try Loading.activities(fromTheFirst, on: db).runs(of: \.portfolio) {
      books[rows[rows.startIndex].portfolio]?.activities = rows
    }
    for rows in try Loading.statements(ranges, on: db).runs(of: \.portfolio) {
      books[rows[rows.startIndex].portfolio]?.statements = rows
    }
    try loadStatementDates(of: segments, into: &books, market: market, on: db)
    try loadKin(of: segments, into: &books, market: market, on: db)
    let resumed = zip(segments, ranges).filter { !$0.0.readsHistory }.map(\.1)
    if !resumed.isEmpty {
      for moments in try Loading.moments(resumed, on: db) {
        books[moments.portfolio]?.moments = moments
      }
    }
    return ChunkInputs(books: books, market: market)
  }

  /// The snapshot that a segment opens from has no row of a fund that was emptied before it.
  private static func loadStatementDates(
    of segments: [ChainSegment], into books: inout [ID<Portfolio>: Book], market: LoadedMarket,
    on db: isolated Connection
  ) throws {
    var asked: [(portfolio: ID<Portfolio>, holding: ID<Holding>, through: Day)] = []
    var owners: [ID<Holding>: ID<Portfolio>] = [:]
    for segment in segments {
      let portfolio = segment.portfolio.id
      guard let openedFrom = segment.openedFrom, let book = books[portfolio] else { continue }
      for holding in book.valuedHoldingsWithoutRow(after: openedFrom, in: market) {
        asked.append((portfolio, holding, openedFrom))
        owners[holding] = portfolio
      }
    }
    guard !asked.isEmpty else { return }
    for (holding, date) in try Loading.statementDates(of: asked, on: db) {
      guard let portfolio = owners[holding] else { continue }
      books[portfolio]?.statementDates[holding] = date
    }
  }
}

extension ChunkInputs.Book {
  /// The instrument of every holding that the segment can meet.
  ///
  /// - Throws: `MarketOutdated` where one was imported after the market was read.
  func instruments(in market: LoadedMarket) throws -> [ID<Holding>: Instrument] {
    var result: [ID<Holding>: Instrument] = [:]
    result.reserveCapacity(holdings.count)
    func add(_ holding: ID<Holding>, _ id: ID<Instrument>) throws {
      guard result[holding] == nil else { return }
      guard let instrument = market.instruments[id] else { throw MarketOutdated(instrument: id) }
      result[holding] = instrument
    }
    for row in holdings { try add(row.holding, row.instrument) }
    for row in kin { try add(row.holding, row.instrument) }
    for row in statements { try add(row.holding, row.instrument) }
    for row in activities {
      if let holding = row.activity.holding, let id = row.instrument { try add(holding, id) }
    }
    return result
  }

  /// The activities booked after the opening and up to `through`, each with the close that it
  /// needs.
  func activities(after opening: Day?, through: Day, in market: LoadedMarket) throws -> [Activity] {
    try activities.lazy
      .filter { row in
        let booked = row.activity.bookingDate
        return (opening.map { booked > $0 } ?? true) && booked <= through
      }
      .map { try $0.withReferenceClose(in: market) }
  }

  /// The opening, where late activities after it need its closes: what they deal in is valued
  /// there.
  func firstCloseNeeded(after opening: Day?) -> Day? {
    guard let opening else { return nil }
    let hasLate = activities.contains {
      $0.activity.isLate && $0.activity.holding != nil && $0.activity.bookingDate > opening
    }
    return hasLate ? opening : nil
  }

  /// The valued holdings with activities after the opening of which it says nothing, or that they
  /// are empty.
  fileprivate func valuedHoldingsWithoutRow(
    after opening: Day, in market: LoadedMarket
  ) -> Set<ID<Holding>> {
    var result: Set<ID<Holding>> = []
    for row in activities where row.activity.bookingDate > opening {
      guard let holding = row.activity.holding, let instrument = row.instrument,
        market.instruments[instrument]?.pricing == .valued
      else { continue }
      result.insert(holding)
    }
    guard !result.isEmpty else { return result }
    for row in holdings where !(row.localValue.isZero && row.localCost.isZero) {
      result.remove(row.holding)
    }
    return result
  }

  /// What the book opens from.
  func bookOpening() -> BookOpening? {
    opening.map { opening in
      BookOpening(
        date: opening.date, closingEquity: opening.closingEquity, cash: opening.cash,
        index: opening.index, indexSince: opening.indexSince,
        cumulativePnL: opening.cumulativePnL, holdings: holdings.map(\.snapshot),
        cashBalances: cashBalances.map(\.balance), statementDates: statementDates,
        receivables: receivables)
    }
  }
}

extension StoredHolding {
  /// The row as the book knows it; its attribution was the stored date's and is not an input.
  var snapshot: HoldingSnapshot {
    HoldingSnapshot(
      holding: holding, quantity: quantity, price: price, priceDate: priceDate,
      localValue: localValue, marketValue: marketValue, localCost: localCost,
      costBasis: costBasis, unrealized: unrealized,
      unrealizedFX: marketValue - costBasis - unrealized, dailyPnL: dailyPnL,
      attribution: Attribution(), quality: .priced)
  }
}

extension StoredActivity {
  /// The activity with the close of its own date, in the units of that date.
  func withReferenceClose(in market: LoadedMarket) throws -> Activity {
    guard let reference, let instrument else { return activity }
    var series = Market(closes: [instrument: [reference]])
    series.actions[instrument] = market.market.actions[instrument]
    var activity = activity
    activity.referenceClose = try series.close(of: instrument, on: activity.date)?.price
    return activity
  }
}

extension Array {
  /// The array cut where a key changes; rows of one key stand together.
  func runs<Key: Equatable>(of key: (Element) -> Key) -> [ArraySlice<Element>] {
    var result: [ArraySlice<Element>] = []
    var start = startIndex
    for index in indices where key(self[index]) != key(self[start]) {
      result.append(self[start..<index])
      start = index
    }
    if start < endIndex { result.append(self[start...]) }
    return result
  }
}
