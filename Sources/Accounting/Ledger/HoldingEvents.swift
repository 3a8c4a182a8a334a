/// When something enters the books: the one order of a window, within a holding and across them.
struct BookingOrder: Comparable {
  /// What comes first on a date.
  ///
  /// A late activity comes before everything else of its booking date: it should have been there.
  /// Trades are in the units, and without the rights, that the date's corporate actions leave; a
  /// statement is the value after all flows of its date.
  enum Stage: Int8 {
    case late, rename, split, dividend, returnOfCapital, spinOff, rights, stockDividend, merger
    case activity, statement
  }

  let day: Day
  let stage: Stage

  init(_ day: Day, _ stage: Stage) {
    self.day = day
    self.stage = stage
  }

  static func < (left: BookingOrder, right: BookingOrder) -> Bool {
    if left.day != right.day { return left.day < right.day }
    return left.stage.rawValue < right.stage.rawValue
  }
}

/// One thing that happened to a holding.
enum HoldingEvent {
  case activity(Activity)
  // What is seldom is wide, and every event would be as wide.
  indirect case action(CorporateAction)
  case statement(FundStatement)
  /// Lots that come from another holding or go to one.
  indirect case leg(LotLeg)
}

/// What happened to one holding and was not applied yet.
struct HoldingEvents {
  /// By booking date, date and key.
  private var activities: ArraySlice<Activity>
  /// Ascending by date.
  private var statements: ArraySlice<FundStatement>
  /// In the order of booking.
  private var actions: ArraySlice<CorporateAction>
  /// In the order of booking.
  private var legs: ArraySlice<LotLeg>

  init(
    _ activities: ArraySlice<Activity>, _ statements: ArraySlice<FundStatement>,
    _ actions: ArraySlice<CorporateAction>, legs: ArraySlice<LotLeg> = []
  ) {
    self.activities = activities
    self.statements = statements
    self.actions = actions
    self.legs = legs
  }

  /// Takes out what comes next.
  ///
  /// - Parameter end: Leaves what does not come before it; nil leaves nothing.
  mutating func next(before end: BookingOrder? = nil) -> HoldingEvent? {
    let (activity, action) = (activities.first?.order, actions.first?.order)
    let (statement, leg) = (statements.first?.order, legs.first?.order)
    var first = end
    first.lower(to: activity)
    first.lower(to: action)
    first.lower(to: statement)
    first.lower(to: leg)
    // No two kinds share a stage, and nothing has the place of the end.
    guard let first, first != end else { return nil }
    if first == activity { return activities.popFirst().map { .activity($0) } }
    if first == action { return actions.popFirst().map { .action($0) } }
    if first == statement { return statements.popFirst().map { .statement($0) } }
    return legs.popFirst().map { .leg($0) }
  }
}

extension Activity {
  var order: BookingOrder { BookingOrder(bookingDate, isLate ? .late : .activity) }
}

extension FundStatement {
  var order: BookingOrder { BookingOrder(date, .statement) }
}

extension BookingOrder? {
  /// Takes what comes earlier; nil comes after everything.
  fileprivate mutating func lower(to other: BookingOrder?) {
    guard let other else { return }
    if let known = self, known <= other { return }
    self = other
  }
}
