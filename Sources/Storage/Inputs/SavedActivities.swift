public import Accounting
public import Postgres
public import Problems

/// An activity to be added to the log, as it is going to stand there.
public struct NewActivity: Sendable {
  /// Whose it is.
  public var portfolio: ID<Portfolio>
  /// The holding that it concerns; nil for cash alone.
  public var holding: ID<Holding>?
  /// The type, as the log knows it, for example `buy`.
  public var type: String
  /// The date on which it happened.
  public var date: Day
  /// Units; nil where there are none.
  public var quantity: Quantity?
  /// Price of a unit in `currency`; nil where there is none.
  public var price: Price?
  /// Money in `currency`; nil where quantity and price say it.
  public var amount: Money?
  /// The currency of price and amount.
  public var currency: Currency
  /// The source's own id, unique in the portfolio.
  public var externalID: String

  /// An activity.
  public init(
    portfolio: ID<Portfolio>, holding: ID<Holding>? = nil, type: String, date: Day,
    quantity: Quantity? = nil, price: Price? = nil, amount: Money? = nil, currency: Currency,
    externalID: String
  ) {
    self.portfolio = portfolio
    self.holding = holding
    self.type = type
    self.date = date
    self.quantity = quantity
    self.price = price
    self.amount = amount
    self.currency = currency
    self.externalID = externalID
  }
}

/// Adds activities to the log with ids that were reserved for them.
///
/// For programs that enter trades one or fifty at a time; files go through the import. Any number
/// of sessions may save at once.
public enum SavedActivities {
  /// Saves them in one transaction, and says from which date on they change closed dates.
  ///
  /// - Returns: Their ids, in their order.
  /// - Throws: `UnreadableID` where an id has a character that nobody sees, `LockedActivities`
  ///   where a date is locked: when a late one is booked is for the import to decide;
  ///   `PostgresError` where one breaks a rule of the log. Then none is saved.
  public static func save(
    _ activities: [NewActivity], on db: isolated Connection
  ) throws -> [Int64] {
    guard !activities.isEmpty else { return [] }
    for activity in activities {
      if let unseen = activity.externalID.firstUnseenCharacter { throw UnreadableID(unseen) }
    }
    try DatabaseEpoch.begin(on: db)
    return try db.transaction { db in
      try PeriodLocks.hold(on: db)
      var firstDates: [ID<Portfolio>: Day] = [:]
      for activity in activities {
        let known = firstDates[activity.portfolio] ?? activity.date
        firstDates[activity.portfolio] = min(known, activity.date)
      }
      let dates = firstDates.sorted { $0.key < $1.key }
      let locked = try db.rows(
        findLocked, dates.map(\.key.rawValue), dates.map(\.value.postgres)
      ) { try $0.nextString() }
      guard locked.isEmpty else { throw LockedActivities(portfolios: locked) }
      var reserved = try ReservedIDs.reserve(activities.count, from: .activities, on: db)
      let ids = try activities.map { _ in try reserved.next() }
      _ = try db.copyIn("save-activities", copy) { rows in
        for (activity, id) in zip(activities, ids) { write(activity, id, to: &rows) }
      }
      for (date, portfolios) in Dictionary(grouping: dates, by: \.value).sorted(by: {
        $0.key < $1.key
      }) {
        try InputChange(.portfolios(portfolios.map(\.key.rawValue)), from: date).record(on: db)
      }
      return ids
    }
  }

  private static func write(_ activity: NewActivity, _ id: Int64, to rows: inout CopyWriter) {
    rows.beginRow(10)
    rows.write(int64: id)
    rows.write(activity.portfolio)
    if let holding = activity.holding { rows.write(holding) } else { rows.writeNull() }
    rows.write(text: activity.type)
    rows.write(activity.date)
    rows.write(activity.quantity)
    rows.write(activity.price)
    rows.write(activity.amount)
    rows.write(text: activity.currency.description)
    rows.write(text: activity.externalID)
  }

  private static let copy = """
    copy closebell.holding_activity_log (id, portfolio_id, portfolio_fund_id, activity_type,
      activity_date, quantity, price, amount, currency, external_id)
    from stdin (format binary)
    """
  private static let findLocked = Statement(
    "save-activities-locked",
    """
    select \(PortfolioName.text(of: "p")) || ', ' || c.from_date
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, from_date)
    join closebell.portfolios p on p.id = c.portfolio_id
    where \(PeriodLocks.isLocked("c.from_date", of: "c.portfolio_id")) order by 1
    """)
}

/// An id with a control character in it, or one that is not shown.
public struct UnreadableID: Problem {
  /// The character.
  public let character: Unicode.Scalar

  init(_ character: Unicode.Scalar) { self.character = character }

  /// The reason, without the character itself.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("unreadable_id", .badInput),
      """
      an activity's id contains \(character.codePoint), a control character or one that is not shown
      """)
  }
}

/// Activities of dates that were reported.
public struct LockedActivities: Problem {
  /// Each portfolio with its first such date.
  public let portfolios: [String]

  /// The reason and the way out.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("activities_locked", .locked),
      "the date is locked: \(portfolios.joined(separator: "; "))",
      remedy: "\(.importFile(kind: "activities")) books late ones on the first open date")
  }
}
