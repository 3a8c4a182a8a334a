/// The closed set of things that happen in a portfolio; an unknown word is refused on import.
///
/// What is true of each stands in one table: `ActivityTraits`.
public enum ActivityType: String, CaseIterable, Sendable {
  case deposit, withdrawal
  case buy, sell, expire
  case transferIn = "transfer_in"
  case transferOut = "transfer_out"
  case dividend, interest, fee, tax
  case exchangeOut = "exchange_out"
  case exchangeIn = "exchange_in"
  case investment
  case regularInvestment = "regular_investment"
  case governmentUplift = "government_uplift"
  case productSwitchIn = "product_switch_in"
  case regularWithdrawal = "regular_withdrawal"
  case productSwitchOut = "product_switch_out"
  case fundSwitchIn = "fund_switch_in"
  case fundSwitchOut = "fund_switch_out"
}

/// One row of a portfolio's activity log.
///
/// Amounts are positive and the sign comes from the type, but where its traits allow a negative one
/// (paid interest, a refunded fee). `fee` on any type is a cost, never part of the flow.
public struct Activity: Sendable {
  /// The database key; rows of one date are applied in its order.
  public var id: Int64
  /// When it counts.
  public var date: Day
  /// What happened.
  public var type: ActivityType
  /// The holding that it concerns; nil for cash alone.
  public var holding: ID<Holding>?
  /// Units of the instrument, positive.
  public var quantity: Quantity?
  /// Per unit, in `currency`; for a transfer the cost per unit.
  public var price: Price?
  /// In `currency`.
  public var amount: Money?
  /// In `currency`; zero when there is none.
  public var fee: Money
  /// The currency of price, amount and fee.
  public var currency: Currency
  /// For a transfer in: when the lot was first bought.
  public var acquired: Day?
  /// The last close on or before `date`, adjusted for splits since; present only where the
  /// activity needs one (a transfer in kind without an amount, an expiry without a price).
  public var referenceClose: Price?
  /// The first open date, for a late activity whose own `date` lies in a locked period.
  ///
  /// Nil for all others, which are booked on their own date.
  public var bookedOn: Day?

  /// When the cash of a dividend, interest or tax is paid; nil for its own date.
  ///
  /// Until then it is a receivable.
  public var payDate: Day?

  /// The date on which it enters the books.
  @inlinable public var bookingDate: Day { bookedOn ?? date }

  /// Whether it was locked out of its own date, and is booked later as a correction.
  @inlinable public var isLate: Bool { bookingDate > date }

  /// A row of the activity log.
  public init(
    id: Int64, date: Day, type: ActivityType, holding: ID<Holding>? = nil,
    quantity: Quantity? = nil, price: Price? = nil, amount: Money? = nil, fee: Money = .zero,
    currency: Currency, acquired: Day? = nil, referenceClose: Price? = nil, bookedOn: Day? = nil,
    payDate: Day? = nil
  ) {
    self.id = id
    self.date = date
    self.type = type
    self.holding = holding
    self.quantity = quantity
    self.price = price
    self.amount = amount
    self.fee = fee
    self.currency = currency
    self.acquired = acquired
    self.referenceClose = referenceClose
    self.bookedOn = bookedOn
    self.payDate = payDate
  }
}
