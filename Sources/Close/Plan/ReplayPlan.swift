package import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// What a replay of a range closes again, and what it closes for the first time.
struct ReplayPlan {
  let calendars: Calendars
  let range: ReplayRange
  /// The first stale date of every portfolio that has one; used with `onlyStale`.
  var stale: [ID<Portfolio>: Day]
  /// Dates that were never closed, or are lost, and are to be; used with `onlyStale`.
  var missing: [ID<Portfolio>: [Day]] = [:]
  /// Whether the database says what is stale, and not a repair's plan.
  var asksForStale = false
  /// Where an earlier pass left off; the dates before it are done.
  var firstLeft: [ID<Portfolio>: Day] = [:]

  func page(
    _ portfolios: [PlannedPortfolio], on db: isolated some CloseStore
  ) throws -> NightPlan.DuePage {
    var page = NightPlan.DuePage()
    let ids = portfolios.map(\.portfolio.id)
    let last = max(range.through, portfolios.compactMap(\.lastComplete).max() ?? range.through)
    let complete = Dictionary(
      grouping: try db.completeSlots(of: ids, from: range.from, through: last),
      by: \.portfolio)
    let before = try db.openingsBefore(range.from, of: ids)
    for planned in portfolios {
      let closed = (complete[planned.portfolio.id] ?? []).map(\.date)
      do {
        if let open = try openBefore(planned) {
          page.refused.append(open)
          continue
        }
        let firstLeft = firstLeft[planned.portfolio.id] ?? .earliest
        let steps = try steps(of: planned, closed: closed).filter { $0.date >= firstLeft }
        guard let first = steps.first else {
          page.skipped += planned.portfolio.retiredOn == nil ? 1 : 0
          continue
        }
        let opening = closed.last { $0 < first.date } ?? before[planned.portfolio.id]
        page.segments.append(
          ChainSegment(portfolio: planned.portfolio, openedFrom: opening, steps: steps))
      } catch let error as CalendarError {
        page.refused.append(
          SlotFailure(
            portfolio: planned.portfolio.name, date: range.from, problem: error.stated))
      }
    }
    return page
  }

  /// A replay goes on from the last close without a hole, or says where it would leave one.
  private func openBefore(_ planned: PlannedPortfolio) throws -> SlotFailure? {
    guard let last = planned.lastComplete, last < range.from, !range.onlyStale,
      planned.portfolio.retiredOn.map({ $0 >= range.from }) ?? true,
      let open = try calendars.named(planned.portfolio.calendar)
        .businessDayList(after: last, through: range.from - 1).first
    else { return nil }
    let name = planned.portfolio.name
    return SlotFailure(
      portfolio: name, date: range.from,
      problem: StatedProblem(
        ProblemCode("earlier_date_open", .refused), "\(open) is not closed yet",
        remedy: """
          \(.run()), or \
          \(.replay(from: "\(open)", through: "\(range.through)", portfolio: "\(name)"))
          """))
  }

  /// - Parameter closed: The portfolio's complete dates from the range's first on, ascending.
  private func steps(of planned: PlannedPortfolio, closed: [Day]) throws -> [ChainSegment.Step] {
    let portfolio = planned.portfolio
    let through =
      range.throughLatest
      ? max(range.through, planned.lastComplete ?? range.through) : range.through
    var steps = closed.filter { $0 <= through }.map { ChainSegment.Step($0, .again) }
    if range.onlyStale {
      guard let staleFrom = stale[portfolio.id] else { return [] }
      steps += (missing[portfolio.id] ?? []).map { ChainSegment.Step($0, .backfill) }
      return steps.filter { $0.date >= staleFrom }.sorted { $0.date < $1.date }
    }
    let calendar = try calendars.named(portfolio.calendar)
    let first = max(range.from, portfolio.inception)
    let last = min(range.through, portfolio.retiredOn ?? .latest)
    if first <= last {
      let known = Set(closed)
      for date in calendar.businessDayList(after: first - 1, through: last)
      where !known.contains(date) {
        let isNext = planned.lastComplete.map { date > $0 } ?? true
        steps.append(ChainSegment.Step(date, isNext ? .next : .backfill))
      }
      steps.sort { $0.date < $1.date }
    }
    // The slot behind a hole that is filled opens from another close than before.
    if steps.last(where: { $0.kind != .again })?.kind == .backfill,
      let following = closed.first(where: { $0 > through })
    {
      steps.append(ChainSegment.Step(following, .again))
    }
    return steps
  }
}

/// The range of a replay, and how far it goes.
package struct ReplayRange: Sendable {
  /// The first date.
  package var from: Day
  /// The last date.
  package var through: Day
  /// Only dates whose inputs changed since they were closed.
  package var onlyStale = false
  /// Go on to each portfolio's latest complete date.
  package var throughLatest = false

  /// The dates from `from` through `through`.
  package init(from: Day, through: Day, onlyStale: Bool = false, throughLatest: Bool = false) {
    self.from = from
    self.through = through
    self.onlyStale = onlyStale
    self.throughLatest = throughLatest
  }
}
