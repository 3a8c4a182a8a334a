internal import Accounting
package import Close
internal import Operations
internal import Storage
internal import Text

/// An explanation as a reader sees it: every number exact, nothing rounded for show.
package struct ExplainText {
  let slot: SlotExplanation
  let listsFlows: Bool

  static let width = 100
  /// Flows listed of a portfolio's IRR when not all are asked for.
  private static let flowsShown = 12

  package init(_ slot: SlotExplanation, listsFlows: Bool) {
    self.slot = slot
    self.listsFlows = listsFlows
  }

  var explanation: Explanation { slot.explanation }
  var snapshot: Snapshot { explanation.close.snapshot }
  var portfolio: Portfolio { slot.shown.portfolio }
  var base: Currency { portfolio.baseCurrency }

  package var lines: [String] {
    var parts = [heading]
    if !explanation.rates.isEmpty { parts.append(rates) }
    if !explanation.cashSteps.isEmpty {
      parts.append(
        ["Activities of no holding"] + explanation.cashSteps.flatMap { lines(of: $0, nil) })
    }
    parts += explanation.holdings.map { lines(of: $0) }
    parts.append(section("Cash", explanation.cash))
    parts.append(section("Sums", explanation.sums))
    parts.append(returns)
    parts += [quality, verdict]
    return parts.paragraphs
  }

  // MARK: - Heading

  private var heading: [String] {
    var lines = ["\(portfolio.name) on \(snapshot.date), in \(base)"]
    if snapshot.isDegraded { lines[0] += " · degraded" }
    if slot.shown.stored.isStale { lines[0] += " · stale: inputs changed since" }
    let stored = slot.shown.stored
    lines.append(
      "stored as revision \(stored.revision)" + (stored.run.map { " by run \($0)" } ?? ""))
    if let opening = explanation.opening {
      lines.append("opened from \(opening.date), revision \(slot.openingRevision ?? 0)")
      if let used = stored.openedFromRevision, used != slot.openingRevision {
        lines[lines.count - 1] += "; the stored snapshot opened from revision \(used)"
      }
      lines.append(
        "  closing equity \(Exact.money(opening.closingEquity)) · cash "
          + "\(Exact.money(opening.cash)) · index \(opening.index)")
      for receivable in opening.receivables {
        lines.append(
          "  receivable \(Exact.money(receivable.amount)) \(receivable.currency), paid on "
            + "\(receivable.payDate): \(Exact.money(receivable.baseValue))")
      }
    } else {
      lines.append("its first close: everything since the inception, \(portfolio.inception)")
    }
    lines.append("business dates (\(portfolio.calendar)): \(businessDates)")
    lines.append(
      "lots \(portfolio.lotRelief.rawValue) · cash \(portfolio.cashMode.rawValue) · dividends "
        + portfolio.dividendMode.rawValue)
    return lines
  }

  private var businessDates: String {
    let days = slot.businessDays
    guard days.count > 5, let first = days.first, let last = days.last else {
      return days.map(\.description).joined(separator: ", ")
    }
    return "\(days.count) from \(first) to \(last)"
  }

  private var rates: [String] {
    var lines = ["Rates of exchange"]
    for rate in explanation.rates {
      var line = "\(rate.date) 1 \(rate.from) = \(Exact.plain(rate.rate.rate)) \(rate.to)"
      if let formula = rate.formula { line += " = \(Exact.expression(formula.expression))" }
      let words = (line + " " + rate.source).split(separator: " ").map(String.init)
      let wrapped = Self.wrapped(words, width: Self.width - 14)
      lines += wrapped.enumerated().map { ($0 == 0 ? "  " : "              ") + $1 }
    }
    return lines
  }

  // MARK: - Calculations

  func section(_ title: String, _ formulas: [Formula]) -> [String] {
    [title] + lines(of: formulas, indent: 2)
  }

  /// The calculations under each other, their names in one column.
  func lines(of formulas: [Formula], indent: Int) -> [String] {
    let column = formulas.reduce(0) { max($0, $1.name.count) }
    return formulas.flatMap { formula -> [String] in
      let name = formula.name + String(repeating: " ", count: column - formula.name.count)
      let head = String(repeating: " ", count: indent) + name + "  "
      let result = Exact.grouped(formula.result)
      let words =
        formula.expression.isNumber ? [result] : Exact.words(formula.expression) + ["= \(result)"]
      let body = Self.wrapped(words, width: Self.width - head.count)
      var lines = [head + (body.first ?? "")]
      let margin = String(repeating: " ", count: head.count)
      lines += body.dropFirst().map { margin + $0 }
      if !formula.rule.isEmpty {
        let rule = formula.rule.split(separator: " ").map(String.init)
        lines += Self.wrapped(["("] + rule + [")"], width: Self.width - head.count).map {
          margin + $0.replacing("( ", with: "(").replacing(" )", with: ")")
        }
      }
      return lines
    }
  }

  static func wrapped(_ words: [String], width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + [line]
  }

  // MARK: - Returns and quality

  private var returns: [String] {
    var lines = ["Returns"]
    if let reason = explanation.noReturn { lines.append("  no daily return: \(reason)") }
    lines += self.lines(of: explanation.returns, indent: 2)
    if let result = slot.portfolioIRR {
      lines += irr(result, shown: listsFlows ? .max : Self.flowsShown, indent: 2)
      if result.result.status == .incomplete { lines += incompleteReasons }
    }
    return lines
  }

  /// A money-weighted return, its flows, and the proof that it balances them.
  func irr(_ result: ExplainedIRR, shown: Int, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    let count = result.flows.count
    var head = "\(margin)IRR  "
    head += result.result.rate.map { "\(Readable.percent($0)): \($0)" } ?? "none"
    head += ", \(result.result.status.rawValue), \(result.convention.rawValue)"
    if let growth = result.result.logGrowth { head += ", log growth \(growth)" }
    if result.result.roots > 1 { head += ", \(result.result.roots) roots" }
    var lines = [head]
    let amount = Exact.money(result.closingValue)
    if count > 0, let first = result.flows.first?.day, let last = result.flows.last?.day {
      let span = first == last ? "of \(first)" : "from \(first) to \(last)"
      let noun = count == 1 ? "flow" : "flows"
      lines.append("\(margin)     \(count) \(noun) \(span), closing value \(amount)")
    } else {
      lines.append("\(margin)     no flows, closing value \(amount)")
    }
    if let value = result.presentValue {
      lines.append(
        "\(margin)     present values at that growth sum to \(Exact.short(value.net)) of "
          + "\(Readable.money(value.gross)) gross")
    }
    let listed = result.flows.prefix(shown)
    lines += listed.map {
      "\(margin)     \($0.day)  \(Exact.right(Exact.money($0.amount), 18))"
    }
    if shown > 0, listed.count < count {
      lines.append("\(margin)     and \(count - listed.count) more: --flows lists them")
    }
    return lines
  }

  private var incompleteReasons: [String] {
    explanation.holdings.filter {
      slot.holdingIRRs[$0.holding]?.result.status == .incomplete
    }.map { "       incomplete: \($0.instrument.symbol): \(valueReason($0))" }
  }

  private var quality: [String] {
    var lines = [
      "Quality",
      "  \(snapshot.pricedCount) priced, \(snapshot.carriedCount) carried, "
        + "\(snapshot.missingCount) missing; the oldest close is "
        + "\(snapshot.maxCarriedDays) business days old",
    ]
    for holding in explanation.holdings where holding.instrument.pricing == .quoted {
      switch holding.row.quality {
      case .priced: continue
      case .carried, .missing:
        lines.append("  \(holding.instrument.symbol): \(valueReason(holding))")
      }
    }
    if snapshot.isDegraded {
      lines.append(
        "  degraded: a close or rate is older than \(slot.policy.maxCarriedBusinessDays) business "
          + "days, or missing")
    }
    return lines
  }

  /// What is the matter with a holding's value.
  private func valueReason(_ holding: ExplainedHolding) -> String {
    if holding.instrument.pricing == .valued {
      guard let stated = holding.row.priceDate else { return "no statement yet" }
      return "its last statement is of \(stated)"
    }
    switch holding.row.quality {
    case .priced: return "valued at its close"
    case .carried(let days):
      let dated = holding.row.priceDate.map { " of \($0)" } ?? ""
      return "close\(dated), or its rate, carried \(days) business \(days == 1 ? "day" : "days")"
    case .missing: return "no close ever: valued at cost"
    }
  }

  private var verdict: [String] {
    guard !slot.differences.isEmpty else { return ["The stored snapshot says the same."] }
    var lines = ["THE STORED SNAPSHOT SAYS SOMETHING ELSE"]
    var table = TextTable([("  number", .left), ("stored", .right), ("from its inputs", .right)])
    for difference in slot.differences {
      table.add([
        "  \(difference.place) \(difference.column)", Exact.grouped(difference.stored ?? "–"),
        Exact.grouped(difference.recomputed ?? "–"),
      ])
    }
    lines += table.lines
    lines += slot.unseenChanges.map { "  changed since: \($0.summary)" }
    return lines
  }
}

extension ExplainedRate {
  /// Where it comes from.
  var source: String {
    switch quotation {
    case .direct(let rate): "(published \(rate.date))"
    case .inverse(let published): "(\(to)/\(from) of \(published.date), turned)"
    case .cross(let crossing):
      crossing.first.date == crossing.second.date
        ? "(\(crossing.firstPair(from)), \(crossing.secondPair(to)) of \(crossing.date), crossed)"
        : "(\(crossing.firstPair(from)) of \(crossing.first.date), "
          + "\(crossing.secondPair(to)) of \(crossing.second.date), crossed)"
    }
  }
}

extension RateCrossing {
  func firstPair(_ from: Currency) -> String {
    isFirstInverse ? "\(pivot)/\(from)" : "\(from)/\(pivot)"
  }

  func secondPair(_ to: Currency) -> String {
    isSecondInverse ? "\(to)/\(pivot)" : "\(pivot)/\(to)"
  }
}

/// Exact numbers with grouped thousands: what a reader types into a calculator.
enum Exact {
  static func money(_ amount: Money) -> String { grouped(amount.description) }

  static func plain(_ number: some FixedPoint) -> String {
    grouped(number.text(minimumDecimals: 0))
  }

  /// Plain decimal text with commas between thousands; other text as it is.
  static func grouped(_ text: String) -> String {
    let sign = text.hasPrefix("-") ? "-" : ""
    let digits = text.dropFirst(sign.count)
    let whole = digits.prefix { $0.isNumber }
    let rest = digits.dropFirst(whole.count)
    guard whole.count > 3, rest.isEmpty || rest.first == "." else { return text }
    var result = ""
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return sign + result + rest
  }

  /// The parts of an expression between which a line may break.
  static func words(_ expression: Expression) -> [String] {
    var words: [String] = []
    var isOpen = false
    for token in expression.tokens {
      switch token {
      case .number(let number):
        if isOpen {
          words[words.count - 1] += grouped(number)
        } else {
          words.append(grouped(number))
        }
        isOpen = false
      case .sign("("):
        words.append("(")
        isOpen = true
      case .sign(")"): words[words.count - 1] += ")"
      case .sign("*"): words.append("×")
      case .sign(let sign): words.append(String(sign))
      }
    }
    return words
  }

  static func expression(_ expression: Expression) -> String {
    words(expression).joined(separator: " ")
  }

  /// The first digits of a number that is nearly nothing; what stands before its point stays
  /// whole.
  static func short(_ value: Double) -> String {
    let parts = "\(value)".split(separator: "e", maxSplits: 1)
    let whole = parts[0].prefix { $0 != "." }
    let digits = parts[0].prefix(value < 0 ? 5 : 4)
    let shown = whole.count < digits.count ? digits : whole
    return parts.count > 1 ? "\(shown)e\(parts[1])" : grouped(String(shown))
  }

  /// The text with blanks before it.
  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
