internal import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// What is due for a date: per portfolio every open business date after its last complete one,
/// and before those its stale dates.
///
/// A retired portfolio has no date after its last one; what was closed beyond it before it was
/// retired stays, and is kept right.
struct NightPlan {
  let settings: RunSettings
  let calendars: Calendars
  let date: Day
  /// The first stale date of every portfolio that has one.
  var stale: [ID<Portfolio>: Day]
  /// Those of them that were retired before the date.
  var staleRetired: [ID<Portfolio>] = []

  /// The segments of some portfolios, and those that are refused, with the way out.
  struct DuePage {
    var segments: [ChainSegment] = []
    var refused: [SlotFailure] = []
    /// Portfolios whose date is locked and was never closed.
    var locked: [SlotFailure] = []
    var skipped = 0
  }

  func page(_ portfolios: [PlannedPortfolio], on db: isolated some CloseStore) throws -> DuePage {
    var page = DuePage()
    let late = portfolios.filter { stale[$0.portfolio.id] != nil && $0.lastComplete != nil }
    let restarts = try restarts(of: late, on: db)
    for planned in portfolios {
      do {
        let calendar = try calendars.named(planned.portfolio.calendar)
        let due = dueDates(of: planned, calendar)
        let restart = restarts[planned.portfolio.id]
        if due.isEmpty, let locked = lockedDate(of: planned, calendar) {
          page.locked.append(.locked(planned.portfolio, locked))
        }
        guard !due.isEmpty || restart != nil else {
          page.skipped += planned.portfolio.retiredOn == nil ? 1 : 0
          continue
        }
        if let refusal = refusal(of: planned, due: due, restart: restart) {
          page.refused.append(refusal)
          continue
        }
        page.segments.append(segment(of: planned, due: due, restart: restart))
      } catch let error as CalendarError {
        page.refused.append(
          SlotFailure(
            portfolio: planned.portfolio.name, date: date, problem: error.stated))
      }
    }
    return page
  }

  /// Without a date asked for, a calendar's own last date whose cut-off has passed.
  private func lastDate(_ calendar: BusinessCalendar) -> Day {
    settings.closedBy.map { calendar.lastClosed(at: $0) } ?? date
  }

  /// A locked date that was never closed is passed over: the first open one covers it.
  private func dueDates(of planned: PlannedPortfolio, _ calendar: BusinessCalendar) -> [Day] {
    let through = min(lastDate(calendar), planned.portfolio.retiredOn ?? .latest)
    let locked = planned.lockedThrough ?? .earliest - 1
    guard let last = planned.lastComplete else {
      return planned.portfolio.retiredOn == nil && calendar.isBusinessDay(through)
        && through >= planned.portfolio.inception && through > locked ? [through] : []
    }
    guard max(last, locked) < through else { return [] }
    let open = calendar.businessDayList(after: max(last, locked), through: through)
    return settings.catchesUp ? open : Array(open.suffix(1))
  }

  /// The date that would be due were it not locked; none of a retired portfolio, which has no open
  /// date left that could cover it.
  private func lockedDate(of planned: PlannedPortfolio, _ calendar: BusinessCalendar) -> Day? {
    guard planned.portfolio.retiredOn == nil else { return nil }
    var unlocked = planned
    unlocked.lockedThrough = nil
    return dueDates(of: unlocked, calendar).last
  }

  /// Where stale dates are closed again from.
  private struct Restart {
    var openedFrom: Day?
    var dates: [Day]
  }

  private func restarts(
    of late: [PlannedPortfolio], on db: isolated some CloseStore
  ) throws -> [ID<Portfolio>: Restart] {
    guard !late.isEmpty else { return [:] }
    let first = late.compactMap { stale[$0.portfolio.id] }.min() ?? date
    let slots = try db.completeSlots(of: late.map(\.portfolio.id), from: first, through: date)
    let before = try db.openingsBefore(first, of: late.map(\.portfolio.id))
    var result: [ID<Portfolio>: Restart] = [:]
    for rows in slots.runs(of: \.portfolio) {
      let portfolio = rows[rows.startIndex].portfolio
      let staleFrom = stale[portfolio] ?? first
      let fresh = rows.last { $0.date < staleFrom }?.date
      result[portfolio] = Restart(
        openedFrom: fresh ?? before[portfolio],
        dates: rows.filter { $0.date >= staleFrom }.map(\.date))
    }
    return result
  }

  private func refusal(
    of planned: PlannedPortfolio, due: [Day], restart: Restart?
  ) -> SlotFailure? {
    let name = planned.portfolio.name
    if let restart, restart.dates.count > settings.maxCatchUp {
      return SlotFailure(
        portfolio: name, date: restart.dates[0],
        problem: StatedProblem(
          ProblemCode("too_many_stale_dates", .refused),
          """
          inputs changed since \(restart.dates[0]): \(restart.dates.count) closed dates are \
          stale, more than --max-catch-up \(settings.maxCatchUp)
          """,
          remedy: Remedy(
            .replay(from: "\(restart.dates[0])", through: "\(date)", portfolio: "\(name)"))))
    }
    if due.count > settings.maxCatchUp {
      return SlotFailure(
        portfolio: name, date: due[0],
        problem: StatedProblem(
          ProblemCode("too_many_open_dates", .refused),
          """
          \(due.count) business dates since \(planned.lastComplete ?? due[0]) are open, more than \
          --max-catch-up \(settings.maxCatchUp)
          """,
          remedy: """
            raise it, or close \(due[due.count - 1]) alone over the gap with \(.option(.noCatchUp))
            """))
    }
    return nil
  }

  private func segment(
    of planned: PlannedPortfolio, due: [Day], restart: Restart?
  ) -> ChainSegment {
    let again = (restart?.dates ?? []).map { ChainSegment.Step($0, .again) }
    return ChainSegment(
      portfolio: planned.portfolio,
      openedFrom: restart.map(\.openedFrom) ?? planned.lastComplete,
      steps: again + due.map { ChainSegment.Step($0, .next) })
  }
}
