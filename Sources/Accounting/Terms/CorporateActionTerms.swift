/// The types of corporate action, by the word of a file; an unknown one is refused on import.
///
/// What each needs and may have stands in one table: `CorporateActionTraits`.
public enum CorporateActionType: String, CaseIterable, Sendable {
  case split
  case stockDividend = "stock_dividend"
  case dividend
  case returnOfCapital = "return_of_capital"
  case rename, merger
  case spinOff = "spin_off"
  case rights

  /// The word as a sentence has it.
  var words: String {
    String(rawValue.map { $0 == "_" ? " " : $0 })
  }
}

/// Which fields an action of a type takes: what it has no use for is refused, not ignored.
public struct CorporateActionTraits: Sendable {
  /// What a type must and may say, beside ex-date, symbol, type, id, status and portfolio.
  public var required: Set<CorporateActionField>
  /// What it may say.
  public var optional: Set<CorporateActionField>
}

/// A field of a corporate action, by the name of its column.
public enum CorporateActionField: String, CaseIterable, Sendable {
  case value, currency, ratio, cash, cost
  case newSymbol = "new_symbol"
  case costShare = "cost_share"
  case payDate = "pay_date"
  case fractionPrice = "fraction_price"
}

extension CorporateActionType {
  /// The table, one row a type.
  public var traits: CorporateActionTraits {
    switch self {
    // One of the two says how many; which is checked with the numbers.
    case .split:
      CorporateActionTraits(
        required: [], optional: [.value, .ratio, .currency, .fractionPrice])
    case .stockDividend: CorporateActionTraits(required: [.ratio], optional: [.fractionPrice])
    case .dividend, .returnOfCapital:
      CorporateActionTraits(required: [.value], optional: [.currency, .payDate])
    case .rename: CorporateActionTraits(required: [.newSymbol], optional: [])
    // Shares or cash; which is checked with the numbers.
    case .merger:
      CorporateActionTraits(
        required: [],
        optional: [
          .newSymbol, .ratio, .cash, .currency, .payDate, .fractionPrice, .cost, .costShare,
        ])
    case .spinOff:
      CorporateActionTraits(
        required: [.newSymbol, .ratio, .costShare], optional: [.fractionPrice])
    case .rights:
      CorporateActionTraits(
        required: [.newSymbol, .ratio], optional: [.costShare, .fractionPrice])
    }
  }
}

/// A corporate action as somebody writes it down: every field, before it is known to make sense.
public struct CorporateActionTerms: Sendable {
  /// Whether a merger's cost goes along or is realized.
  public enum Cost: String, CaseIterable, Sendable { case carried, realized }

  /// What happened.
  public var type: CorporateActionType
  /// The first date that trades without the right.
  public var exDate: Day
  /// Whether it was taken back: then it never happened.
  public var isCancelled = false
  /// The only portfolio that it concerns; nil for all.
  public var portfolio: ID<Portfolio>?
  /// New units for one old one, or cash per unit.
  public var value: Price?
  /// What cash is paid in; nil for the instrument's currency.
  public var currency: Currency?
  /// New units for old ones.
  public var ratio: Ratio?
  /// What the units become; of a rename nil, since it stays the same thing.
  public var newInstrument: Instrument?
  /// Cash for an old unit.
  public var cash: Price?
  /// The part of the cost that goes along, 0…1.
  public var costShare: Rate?
  /// When cash is paid; nil for the ex-date.
  public var payDate: Day?
  /// The price at which fractions are paid in cash.
  public var fractionPrice: Price?
  /// What becomes of a merger's cost.
  public var cost: Cost?

  /// An action that says nothing yet.
  public init(_ type: CorporateActionType, exDate: Day) {
    self.type = type
    self.exDate = exDate
  }
}

/// Why a corporate action makes no sense; the field is the column to look at.
public enum CorporateActionFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// The type needs the field.
  case lacks(CorporateActionField, CorporateActionType)
  /// The type has no use for the field.
  case takesNo(CorporateActionField, CorporateActionType)
  /// One of two fields is needed, and not both.
  case eitherOr(CorporateActionField, CorporateActionField, CorporateActionType)
  /// A number that must be above zero.
  case notPositive(CorporateActionField)
  /// A part of the cost below 0 or above 1.
  case notAShare(CorporateActionField)
  /// Paid before the ex-date.
  case paidTooEarly(payDate: Day, exDate: Day)
  /// An instrument becomes itself.
  case intoItself(symbol: String)
  /// A future or a valued instrument has no units that it could happen to.
  case noUnits(CorporateActionType, symbol: String)
  /// Actions of one date pass the same units round in a circle.
  case cycle(symbols: [String], exDate: Day)

  /// The field that is wrong; nil where it is the instrument, or several actions.
  public var field: CorporateActionField? {
    switch self {
    case .lacks(let field, _), .takesNo(let field, _), .eitherOr(let field, _, _),
      .notPositive(let field), .notAShare(let field):
      field
    case .paidTooEarly: .payDate
    case .intoItself: .newSymbol
    case .noUnits, .cycle: nil
    }
  }

  /// The reason as an operator reads it.
  public var description: String {
    switch self {
    case .lacks(let field, let type): "a \(type.rawValue) needs a \(field.rawValue)"
    case .takesNo(let field, let type): "a \(type.rawValue) takes no \(field.rawValue)"
    case .eitherOr(let one, let other, let type):
      "a \(type.rawValue) needs a \(one.rawValue) or a \(other.rawValue), and not both"
    case .notPositive(let field): "\(field.rawValue) must be positive"
    case .notAShare(let field): "\(field.rawValue) must lie between 0 and 1"
    case .paidTooEarly(let payDate, let exDate):
      "pay date \(payDate) lies before the ex-date \(exDate)"
    case .intoItself(let symbol): "\(symbol) cannot become itself"
    case .noUnits(let type, let symbol):
      "a \(type.rawValue) cannot be of \(symbol): it is a future or is valued by statements"
    case .cycle(let symbols, let exDate):
      "actions of \(exDate) pass units in a circle: \(symbols.joined(separator: ", "))"
    }
  }
}
