/// A portfolio's book as of its last close, ready to close the next date.
///
/// Everything that happened enters through `close`: activities, statements, and a market of
/// closes, rates and corporate actions. The book is a value; closing many dates one after the
/// other gives, to the last digit, what opening it anew from the stored rows each time gives.
///
/// After a close that threw, the book is unusable: open it again.
public struct PortfolioBook: Sendable {
  /// The portfolio's terms.
  public let portfolio: Portfolio
  /// The date of the last close; nil before the first.
  public internal(set) var lastClose: Day?

  /// Ascending by holding.
  var ledgers: [HoldingLedger]
  var equity = Money.zero
  var cash = Money.zero
  /// Ascending by currency, none of them zero.
  var balances: [CashBalance] = []
  var chain: ReturnChain
  var cumulativePnL = Money.zero
  /// What was earned or taken and is not paid yet, ascending by pay date and currency.
  public internal(set) var receivables: [Receivable] = []
  /// What is wrong with the opening; thrown by the first close.
  var openingFault: CloseError?
  var isSpent = false

  /// Opens a book.
  ///
  /// - Parameters:
  ///   - portfolio: Its terms.
  ///   - instruments: The instrument of each of its holdings, those exited included that may
  ///     still have activities.
  ///   - opening: What was true at the last close; nil before the first snapshot.
  public init(
    portfolio: Portfolio, instruments: [ID<Holding>: Instrument], opening: BookOpening?
  ) {
    self.portfolio = portfolio
    // Sorted by key and place: an instrument is wider, and so no key is hashed again.
    let places = instruments.indices.map { (holding: instruments.keys[$0], place: $0) }
      .sorted { $0.holding < $1.holding }
    ledgers = places.map { HoldingLedger($0.holding, of: instruments.values[$0.place]) }
    chain = ReturnChain(index: 1, since: portfolio.inception)
    guard let opening else { return }
    lastClose = opening.date
    equity = opening.closingEquity
    cash = opening.cash
    balances = opening.cashBalances.filter { !$0.balance.isZero }
      .sorted { $0.currency < $1.currency }
    chain = ReturnChain(index: opening.index, since: opening.indexSince)
    cumulativePnL = opening.cumulativePnL
    receivables = opening.receivables.inOrder
    open(opening)
  }

  /// Takes over the rows of the opening, and checks that they make its equity.
  private mutating func open(_ opening: BookOpening) {
    var sum = opening.cash + receivables.baseValue
    var next = 0
    for row in opening.holdings {
      // Rows are stored in the order of holdings; those that are flat may be missing.
      let isNext = next < ledgers.count && ledgers[next].holding == row.holding
      guard let index = isNext ? next : index(of: row.holding) else {
        openingFault = .unknownHolding(row.holding, date: opening.date)
        return
      }
      ledgers[index].open(from: row)
      next = index + 1
      sum += row.costBasis + row.unrealized + row.unrealizedFX
    }
    for (holding, date) in opening.statementDates {
      if let index = index(of: holding) { ledgers[index].recall(statementOn: date) }
    }
    if sum != opening.closingEquity {
      openingFault = .openingDoesNotAddUp(
        date: opening.date, stored: opening.closingEquity, sum: sum)
    }
    guard portfolio.cashMode == .perCurrency else { return }
    let balance = balances.reduce(Money.zero) { $0 + $1.baseValue }
    if balance != opening.cash {
      openingFault = .openingDoesNotAddUp(
        date: opening.date, stored: opening.cash, sum: balance)
    }
  }

  func index(of holding: ID<Holding>) -> Int? {
    let index = ledgers.count(while: { $0.holding < holding })
    guard index < ledgers.count, ledgers[index].holding == holding else { return nil }
    return index
  }

  /// The holding of an instrument; looked for only where lots pass.
  func holding(of instrument: ID<Instrument>) -> ID<Holding>? {
    ledgers.first { $0.instrument.id == instrument }?.holding
  }

  /// The window from the last close on.
  func window(through date: Day, _ market: Market) -> Window {
    Window(
      portfolio: portfolio, relief: portfolio.lotRelief, market: market, after: lastClose,
      through: date)
  }
}
