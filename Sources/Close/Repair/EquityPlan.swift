package import Accounting
internal import Postgres
package import Storage

/// Closed dates that are not what their inputs make them, and what it takes to heal them.
package struct EquityPlan: Sendable {
  /// A closed date that is wrong.
  package struct WrongDate: Sendable {
    /// The date.
    package var date: Day
    /// The closing equity that stands there.
    package var storedClosing: Money?
    /// The closing equity that the inputs make.
    package var closing: Money
    /// Every number that differs; the closing equity need not be among them.
    package var differences: [ValueDifference]
  }

  /// A portfolio with at least one wrong date.
  package struct Damage: Sendable {
    /// The portfolio.
    package var portfolio: Portfolio
    /// The last date before the first wrong one; nil where there is none.
    package var lastGood: Day?
    /// Everything from here on is closed again.
    package var firstBad: Day
    /// The last closed date.
    package var latest: Day
    /// How many dates are closed again or for the first time.
    package var closedAgain: Int
    /// Dates that others opened from and that are not closed; they are, then.
    package var missing: [Day]
    /// The dates whose numbers differ, ascending.
    package var wrong: [WrongDate]
    /// Dates whose opening has another revision than they say; their numbers may be right.
    var brokenOpenings: [Day]
  }

  /// What is closed again, portfolio by portfolio.
  package var damage: [Damage]
  /// Rows that belong to no closed date; they are removed.
  package var orphans: [OrphanRows.Group]
  /// Portfolios that could not be recomputed, and are left alone.
  package var failures: [SlotFailure]
  /// How many closed dates were compared.
  package var compared: Int
  /// The plan as it is written.
  package var plan: RepairPlan

  /// Whether nothing is damaged.
  package var isEmpty: Bool { damage.isEmpty && orphans.isEmpty }
  /// Stray rows, counted.
  package var orphanCount: Int { orphans.reduce(0) { $0 + Int($1.count) } }
  /// Dates that are closed again, counted.
  package var closedAgain: Int { damage.reduce(0) { $0 + $1.closedAgain } }
}

/// What a repair of equities looks at.
package struct EquityScope: Sendable {
  /// Damage on earlier dates is not looked for; nil: from the first on.
  package var from: Day?
  /// Damage on later dates is not looked for, but what was built on it is closed again.
  package var through: Day?
  /// Only these portfolios; empty means all.
  package var codes: [String]
  /// The policy that every date ought to have been closed under; nil: each its own.
  package var policy: ClosePolicy?

  /// The dates from `from` through `through` of some portfolios.
  package init(
    from: Day? = nil, through: Day? = nil, codes: [String] = [], policy: ClosePolicy? = nil
  ) {
    self.from = from
    self.through = through
    self.codes = codes
    self.policy = policy
  }

  /// The head of a plan.
  func members(_ damage: [EquityPlan.Damage], _ orphans: [OrphanRows.Group]) -> [(String, String)] {
    [
      ("kind", PlanText.quoted(EquityRepair.kind)), ("from", PlanText.optional(from?.description)),
      ("to", PlanText.optional(through?.description)),
      ("portfolios", "[" + codes.sorted().map(PlanText.quoted).joined(separator: ", ") + "]"),
      ("dates_closed_again", String(damage.reduce(0) { $0 + $1.closedAgain })),
      ("rows_removed", String(orphans.reduce(0) { $0 + $1.count })),
    ] + (policy.map { [("max_carried_days", String($0.maxCarriedBusinessDays))] } ?? [])
  }
}

extension EquityPlan.Damage {
  /// What a recomputed portfolio and its broken openings amount to; nil where nothing is wrong.
  ///
  /// - Parameter complete: Its closed dates, ascending.
  init?(
    _ portfolio: Portfolio, wrong: [EquityPlan.WrongDate], tears: [OrphanRows.Tear],
    complete: [Day]
  ) {
    let missing = Set(tears.filter(\.isMissing).map(\.openedFrom)).sorted()
    brokenOpenings = tears.filter { !$0.isMissing }.map(\.slot.date)
    guard let first = (wrong.map(\.date) + missing + brokenOpenings).min(), let last = complete.last
    else {
      return nil
    }
    self.portfolio = portfolio
    self.wrong = wrong
    self.missing = missing
    firstBad = first
    lastGood = complete.last { $0 < first }
    latest = last
    closedAgain = complete.count { $0 >= first } + missing.count
  }

  /// Every difference as text; its digest stands for all of them in a plan.
  var differenceText: String {
    wrong.flatMap { date in
      date.differences.map {
        "\(date.date) \($0.place) \($0.column): \($0.stored ?? "–") → \($0.recomputed ?? "–")"
      }
    }.joined(separator: "\n")
  }

  func members(differences digest: String) -> [(String, String)] {
    let dates = wrong.map { date in
      PlanText.object([
        ("date", PlanText.quoted(date.date.description)),
        ("column", PlanText.quoted("closing_equity")),
        ("old", PlanText.optional(date.storedClosing?.description)),
        ("new", PlanText.quoted(date.closing.description)),
        ("numbers_that_differ", String(date.differences.count)),
      ])
    }
    func days(_ days: [Day]) -> String {
      "[" + days.map { PlanText.quoted($0.description) }.joined(separator: ", ") + "]"
    }
    return [
      ("portfolio", PlanText.quoted("\(portfolio.code)#\(portfolio.id)")),
      ("last_good", PlanText.optional(lastGood?.description)),
      ("first_bad", PlanText.quoted(firstBad.description)),
      ("latest", PlanText.quoted(latest.description)),
      ("dates_closed_again", String(closedAgain)), ("missing", days(missing)),
      ("torn", days(brokenOpenings)), ("dates", PlanText.lines(dates, indent: "      ")),
      ("differences", PlanText.quoted(digest)),
    ]
  }
}

extension OrphanRows.Group {
  var members: [(String, String)] {
    [
      ("portfolio", PlanText.quoted("#\(slot.portfolio)")),
      ("date", PlanText.quoted(slot.date.description)), ("table", PlanText.quoted(table)),
      ("action", PlanText.quoted("remove")), ("rows", String(count)),
      ("reason", PlanText.quoted(reason)), ("rows_digest", PlanText.quoted(digest)),
    ]
  }
}
