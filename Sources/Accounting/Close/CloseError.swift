/// Why a date could not be closed; it names the thing, so that an operator can find the row.
public enum CloseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The activity's type cannot stand where it stands.
  case notAllowed(ActivityReference, Refusal)
  /// The activity lacks a field that its type needs.
  case lacks(ActivityReference, String)
  /// A number of the activity has a sign that its type does not allow.
  case wrongSign(ActivityReference, String)
  /// The activity is in another currency than the instrument.
  case wrongCurrency(ActivityReference, expected: Currency, found: Currency)
  /// The activity lies before the portfolio's first date.
  case beforeInception(ActivityReference, inception: Day)
  /// The activity's or statement's holding is not one of the portfolio's.
  case unknownHolding(ID<Holding>, date: Day)
  /// An `expire` of more than there is.
  case nothingToExpire(ActivityReference, held: Quantity)
  /// A transfer in kind without an amount, and no close on or before its date.
  case noFlowValue(ActivityReference)
  /// The fund switches of a date and currency do not net to zero.
  case switchesDoNotNet(date: Day, currency: Currency, into: SwitchSide, outOf: SwitchSide)
  /// A statement for a holding that is valued by closes.
  case statementOfQuoted(symbol: String, date: Day)
  /// Two statements of one holding and date: neither is the later one.
  case duplicateStatement(symbol: String, date: Day)
  /// A statement of less than nothing.
  case negativeStatement(symbol: String, date: Day, value: Money)
  /// Two activities of one date with the same key: their order is not known.
  case duplicateActivity(ActivityReference)
  /// A split whose ratio is not positive.
  case invalidSplit(symbol: String, exDate: Day, ratio: Rate)
  /// A corporate action that the books cannot carry out as it stands.
  case notReorganised(symbol: String, exDate: Day, ReorganisationRefusal)
  /// A currency that never had a rate.
  case missingRate(from: Currency, to: Currency, date: Day)
  /// A published rate that is not positive.
  case invalidRate(from: Currency, to: Currency, date: Day, rate: Rate)
  /// A part of a position is sold, and its lots were not restored.
  case lotsUnknown(symbol: String, date: Day)
  /// The lots rebuilt from the activity log are not the stored position.
  case lotsDiffer(symbol: String, date: Day, stored: PositionTotals, rebuilt: PositionTotals)
  /// The rows of the opening do not make its equity.
  case openingDoesNotAddUp(date: Day, stored: Money, sum: Money)
  /// The date is not after the last close, or is before the inception.
  case outOfOrder(date: Day, lastClose: Day?)
  /// A result does not fit into the books.
  case arithmetic(subject: String, date: Day, ArithmeticError)

  /// Why a type of activity is refused.
  public enum Refusal: Hashable, Sendable {
    /// The holding is valued by statements, and has no units to trade.
    case onValuedHolding
    /// The holding has units and a close; money does not go straight into it.
    case onQuotedHolding
    /// The type needs a holding.
    case needsHolding
    /// The type is about cash alone.
    case hasHolding
    /// The portfolio keeps one balance in its base currency.
    case needsCurrencyCash
    /// The portfolio takes its dividends from corporate actions.
    case dividendsAreAutomatic
  }

  /// Why a corporate action cannot be carried out.
  public enum ReorganisationRefusal: Hashable, Sendable {
    /// A future or a valued holding: nothing is owned by the unit.
    case noUnits
    /// The portfolio has no holding of what the units become.
    case noHolding(instrument: ID<Instrument>)
    /// Shares and cash for shares, and no close that says what the shares are worth.
    case noClose(symbol: String)
    /// A ratio that is not positive.
    case ratio(Ratio)
    /// Actions of its date pass the same lots round in a circle.
    case cycle
    /// A late activity of an earlier date, whose units it would have concerned.
    case missedBy(ActivityReference)
  }

  /// One side of a date's fund switches.
  public struct SwitchSide: Hashable, Sendable {
    /// The symbols of the funds, in order.
    public var symbols: [String]
    /// What the legs sum to.
    public var amount: Money

    var text: String {
      symbols.isEmpty
        ? "nothing" : "\(amount.text(minimumDecimals: 2)) (\(symbols.joined(separator: ", ")))"
    }
  }

  /// The reason as an operator reads it: one line, lowercase, no full stop.
  public var description: String {
    switch self {
    case .notAllowed(let activity, let refusal): "\(activity): \(refusal.text)"
    case .lacks(let activity, let field): "\(activity): no \(field)"
    case .wrongSign(let activity, let field): "\(activity): \(field) may not be negative"
    case .wrongCurrency(let activity, let expected, let found):
      "\(activity): in \(found), but the instrument is in \(expected)"
    case .beforeInception(let activity, let inception):
      "\(activity): before the portfolio's inception on \(inception)"
    case .unknownHolding(let holding, let date):
      "a row of \(date) names holding \(holding), which is not the portfolio's"
    case .nothingToExpire(let activity, let held):
      "\(activity): only \(held.text(minimumDecimals: 0)) held"
    case .noFlowValue(let activity): "\(activity): no amount, and no close on or before the date"
    case .switchesDoNotNet(let date, let currency, let into, let outOf):
      "fund switches of \(date) in \(currency) do not net to zero: "
        + "in \(into.text), out \(outOf.text)"
    case .statementOfQuoted(let symbol, let date):
      "statement of \(symbol) on \(date): the instrument is valued by closes"
    case .duplicateStatement(let symbol, let date): "two statements of \(symbol) on \(date)"
    case .negativeStatement(let symbol, let date, let value):
      "statement of \(symbol) on \(date): \(value.text(minimumDecimals: 2)) is negative"
    case .duplicateActivity(let activity): "\(activity): another one has the same key"
    case .invalidSplit(let symbol, let exDate, let ratio):
      "split of \(symbol) on \(exDate): ratio \(ratio.text(minimumDecimals: 0)) is not positive"
    case .notReorganised(let symbol, let exDate, let refusal):
      "corporate action of \(symbol) on \(exDate): \(refusal.text)"
    case .missingRate(let from, let to, let date):
      "no exchange rate from \(from) to \(to) on or before \(date)"
    case .invalidRate(let from, let to, let date, let rate):
      "the rate of \(from) in \(to) on \(date): \(rate.text(minimumDecimals: 0)) is not positive"
    case .lotsUnknown(let symbol, let date):
      "lots of \(symbol) are needed on \(date) and were not restored"
    case .lotsDiffer(let symbol, let date, let stored, let rebuilt):
      "position of \(symbol) on \(date): stored \(stored), but the activity log makes \(rebuilt)"
    case .openingDoesNotAddUp(let date, let stored, let sum):
      "the snapshot of \(date) says equity \(stored), but its rows make \(sum)"
    case .outOfOrder(let date, let lastClose):
      "\(date) cannot be closed"
        + (lastClose.map { " after \($0)" } ?? ": it is before the inception")
    case .arithmetic(let subject, let date, let error): "\(subject) on \(date): \(error)"
    }
  }
}

extension CloseError.Refusal {
  var text: String {
    switch self {
    case .onValuedHolding: "not allowed on a holding that is valued by statements"
    case .onQuotedHolding: "not allowed on a holding that is valued by closes"
    case .needsHolding: "needs a symbol"
    case .hasHolding: "takes no symbol"
    case .needsCurrencyCash: "the portfolio keeps its cash in base currency"
    case .dividendsAreAutomatic: "the portfolio takes dividends from corporate actions"
    }
  }
}

extension CloseError.ReorganisationRefusal {
  var text: String {
    switch self {
    case .noUnits: "not allowed on a future or a holding that is valued by statements"
    case .noHolding(let instrument):
      "the portfolio has no holding of what it becomes (instrument \(instrument))"
    case .noClose(let symbol): "no close of \(symbol) on or before the date, and no cost share"
    case .ratio(let ratio): "ratio \(ratio) is not positive"
    case .cycle: "it passes units in a circle on one date"
    case .missedBy(let activity): "\(activity) came late and would have had part in it"
    }
  }
}

/// An activity as an error names it.
public struct ActivityReference: Hashable, Sendable, CustomStringConvertible {
  /// The database key.
  public var id: Int64
  /// What it is.
  public var type: ActivityType
  /// When it counts.
  public var date: Day
  /// The instrument's symbol, if it concerns one.
  public var symbol: String?

  init(_ activity: Activity, symbol: String? = nil) {
    id = activity.id
    type = activity.type
    date = activity.date
    self.symbol = symbol
  }

  /// For example `sell of ACME on 2024-03-01 (activity 12)`.
  public var description: String { "\(name) on \(date) (activity \(id))" }

  /// For example `sell of ACME`, where the date is named elsewhere.
  var name: String { "\(type.rawValue)\(symbol.map { " of \($0)" } ?? "")" }
}

/// A position's quantity and costs.
public struct PositionTotals: Hashable, Sendable, CustomStringConvertible {
  /// Signed units.
  public var quantity: Quantity
  /// Cost in the instrument's currency.
  public var localCost: Money
  /// Cost in base currency.
  public var costBasis: Money

  /// For example `10 at cost 1000.00, 1100.00 in base currency`.
  public var description: String {
    let cost = localCost.text(minimumDecimals: 2)
    let base = costBasis.text(minimumDecimals: 2)
    return "\(quantity.text(minimumDecimals: 0)) at cost \(cost), \(base) in base currency"
  }
}
