/// What is true of every activity of a type: the table that whatever asks about a type reads.
///
/// The ledger, the import's rules, the lists of types in SQL and the explanation have no list of
/// their own. What an activity does to the books is code, one function a `Kind`.
public struct ActivityTraits: Hashable, Sendable {
  /// Types of one kind are booked by the same code.
  public enum Kind: Sendable {
    /// Money from outside or to it: through cash, or straight into or out of a fund.
    case contribution
    /// Units against money.
    case trade
    /// A position ends without a trade.
    case expiry
    /// Units, or a fund's value, from outside or to it.
    case transfer
    /// What a holding or a balance earns.
    case income
    /// A cost that is no tax.
    case fee
    case tax
    /// One of two balances of a conversion.
    case exchange
    /// One side of a flow between two funds of the portfolio.
    case fundSwitch
  }

  /// What an activity may be of.
  public enum Place: Sendable {
    /// Cash: it has no symbol.
    case cash
    /// A quoted instrument.
    case quoted
    /// An instrument valued by statements.
    case valued
    /// Any instrument.
    case holding
    /// Cash, or an instrument valued by statements.
    case cashOrValued
    /// Any instrument, or cash.
    case anything
  }

  /// Whether a number is there.
  public enum Need: Sendable { case required, optional, forbidden }

  /// Which way something goes.
  public enum Direction: Sendable { case into, outOf }

  /// What has to be missing for the close of the activity's own date to value it.
  public enum ReferenceClose: Sendable { case withoutAmount, withoutPrice }

  /// By which code it is booked.
  public var kind: Kind
  /// What it may be of; a type that may be of cash and of a fund is booked on either side.
  public var place: Place
  /// Whether units or a fund's value come into the holding or go out; nil where they do neither,
  /// or whatever is held is closed.
  public var holding: Direction?
  /// Whether it brings cash or takes it; nil where none moves but the fee.
  public var cash: Direction?
  /// Whether it says how many units.
  public var quantity: Need
  /// Whether it says what a unit costs; a transfer's is what it once cost.
  public var price: Need
  /// Whether it says how much money; a valued holding's row does, and has nothing else.
  public var amount: Need
  /// Whether the amount may be negative: paid where it is usually received, or given back.
  public var isSigned: Bool
  /// Whether it must be in the instrument's currency.
  public var isInOwnCurrency: Bool
  /// Whether money or securities come into the portfolio by it, or leave it.
  public var isExternalFlow: Bool
  /// When the close of its own date values it, which may lie before all that is being closed.
  public var referenceClose: ReferenceClose?
  /// Whether it may say when the units were first bought.
  public var mayHaveAcquired: Bool
  /// Whether corporate actions pay it, and no row of the log may, where dividends are automatic.
  public var isPaidByActions: Bool

  fileprivate init(
    _ kind: Kind, of place: Place, holding: Direction? = nil, cash: Direction? = nil,
    quantity: Need = .forbidden, price: Need = .forbidden, amount: Need = .forbidden,
    isSigned: Bool = false, isInOwnCurrency: Bool = true, isExternalFlow: Bool = false,
    referenceClose: ReferenceClose? = nil, mayHaveAcquired: Bool = false,
    isPaidByActions: Bool = false
  ) {
    self.kind = kind
    self.place = place
    self.holding = holding
    self.cash = cash
    self.quantity = quantity
    self.price = price
    self.amount = amount
    self.isSigned = isSigned
    self.isInOwnCurrency = isInOwnCurrency
    self.isExternalFlow = isExternalFlow
    self.referenceClose = referenceClose
    self.mayHaveAcquired = mayHaveAcquired
    self.isPaidByActions = isPaidByActions
  }
}

extension ActivityType {
  /// The table, one row a type.
  public var traits: ActivityTraits {
    switch self {
    case .deposit: .cash(.contribution, .into, isExternalFlow: true)
    case .withdrawal:
      ActivityTraits(
        .contribution, of: .cashOrValued, holding: .outOf, cash: .outOf, amount: .required,
        isExternalFlow: true)
    case .buy: .trade(.into, cash: .outOf)
    case .sell: .trade(.outOf, cash: .into)
    case .expire:
      ActivityTraits(
        .expiry, of: .quoted, quantity: .optional, price: .optional,
        referenceClose: .withoutPrice)
    case .transferIn: .transfer(.into, mayHaveAcquired: true)
    case .transferOut: .transfer(.outOf)
    case .dividend: .income(.income, .into, isPaidByActions: true)
    case .interest: .income(.income, .into, isSigned: true)
    case .fee: .income(.fee, .outOf, isSigned: true)
    case .tax: .income(.tax, .outOf, isSigned: true)
    case .exchangeOut: .cash(.exchange, .outOf)
    case .exchangeIn: .cash(.exchange, .into)
    case .investment: .fund(.contribution, .into)
    case .regularInvestment: .fund(.contribution, .into)
    case .governmentUplift: .fund(.contribution, .into)
    case .productSwitchIn: .fund(.contribution, .into)
    case .regularWithdrawal: .fund(.contribution, .outOf)
    case .productSwitchOut: .fund(.contribution, .outOf)
    case .fundSwitchIn: .fund(.fundSwitch, .into)
    case .fundSwitchOut: .fund(.fundSwitch, .outOf)
    }
  }
}

/// What rows of the table have in common.
extension ActivityTraits {
  fileprivate static func cash(
    _ kind: Kind, _ direction: Direction, isExternalFlow: Bool = false
  ) -> ActivityTraits {
    ActivityTraits(
      kind, of: .cash, cash: direction, amount: .required, isExternalFlow: isExternalFlow)
  }

  fileprivate static func trade(_ units: Direction, cash: Direction) -> ActivityTraits {
    ActivityTraits(
      .trade, of: .quoted, holding: units, cash: cash, quantity: .required, price: .required)
  }

  fileprivate static func transfer(
    _ units: Direction, mayHaveAcquired: Bool = false
  ) -> ActivityTraits {
    ActivityTraits(
      .transfer, of: .holding, holding: units, quantity: .required, price: .optional,
      amount: .optional, isExternalFlow: true, referenceClose: .withoutAmount,
      mayHaveAcquired: mayHaveAcquired)
  }

  fileprivate static func income(
    _ kind: Kind, _ cash: Direction, isSigned: Bool = false, isPaidByActions: Bool = false
  ) -> ActivityTraits {
    ActivityTraits(
      kind, of: .anything, cash: cash, amount: .required, isSigned: isSigned,
      isInOwnCurrency: false, isPaidByActions: isPaidByActions)
  }

  /// What goes between funds of the portfolio is no flow of the portfolio.
  fileprivate static func fund(_ kind: Kind, _ value: Direction) -> ActivityTraits {
    ActivityTraits(
      kind, of: .valued, holding: value, amount: .required, isExternalFlow: kind != .fundSwitch)
  }
}

extension ActivityTraits {
  /// Whether its cash may be paid on a later date than its own.
  public var mayBePaidLater: Bool { kind == .income || kind == .tax }

  /// Why an activity cannot be of what it names; nil where it can.
  ///
  /// - Parameter isValued: Whether its instrument is valued by statements; nil for cash.
  public func refusal(isValued: Bool?) -> CloseError.Refusal? {
    switch (place, isValued) {
    case (.cash, .some): .hasHolding
    case (.quoted, nil), (.valued, nil), (.holding, nil): .needsHolding
    case (.quoted, true?): .onValuedHolding
    case (.valued, false?), (.cashOrValued, false?): .onQuotedHolding
    default: nil
    }
  }
}
