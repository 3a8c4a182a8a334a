/// What is paid on other dates than it was earned on.
extension SumsWriter {
  /// Everything that was open at the opening or came since, valued there or on its ex-date.
  var owed: [Receivable] {
    var result = opening.receivables
    for step in holdings.flatMap(\.steps) + explanation.cashSteps {
      for receivable in step.receivables { result.add(receivable) }
    }
    return result.inOrder.filter { !$0.amount.isZero }
  }

  /// What a receivable that is due brought to cash.
  func paid(_ receivable: Receivable) -> (label: String, effect: ExplainedStep.CashEffect) {
    let rate = try? window.rate(of: receivable.currency, on: receivable.payDate)
    let worth = rate.flatMap { try? convert(receivable.amount, at: $0) }
    return (
      "receivable of \(receivable.payDate)",
      ExplainedStep.CashEffect(
        currency: receivable.currency, amount: receivable.amount, base: worth ?? .zero)
    )
  }

  /// What the currency's move made of receivables until they were paid, or until this close.
  var receivablesFX: Money {
    let due = owed.filter { $0.payDate <= window.through }.map { paid($0).effect.base }
    return due.reduce(snapshot.receivables, +) - owed.baseValue
  }

  func receivables() throws -> [Formula] {
    let owed = owed
    if owed.isEmpty { return [] }
    var result: [Formula] = []
    for receivable in owed where receivable.currency != base {
      let isDue = receivable.payDate <= window.through
      let rate = try window.rate(
        of: receivable.currency, on: isDue ? receivable.payDate : window.through)
      result.append(
        Formula(
          "receivable of \(receivable.payDate) in \(base)",
          .of(receivable.amount) * .of(rate), try convert(receivable.amount, at: rate)))
    }
    let open = explanation.close.receivables
    if !open.isEmpty {
      result.append(
        .labelled(
          "receivables", open.map { ("\($0.payDate)", $0.baseValue) }, snapshot.receivables))
    }
    guard !receivablesFX.isZero else { return result }
    let due = owed.filter { $0.payDate <= window.through }
    result.append(
      .labelled(
        "currency effect on receivables",
        due.map { ("paid on \($0.payDate)", paid($0).effect.base) }
          + [("receivables", snapshot.receivables)]
          + owed.map { ("before", -$0.baseValue) }, receivablesFX))
    return result
  }
}
