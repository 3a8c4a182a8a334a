internal import Accounting

extension Cells {
  /// A number; nothing is rounded unless that was asked for.
  func number<Number: FixedPoint>(
    _ column: Int, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number? {
    guard let cell = bytes(column) else { return nil }
    if header.notation.isPlain, let number = try? Number(decimal: cell) { return number }
    do throws(DecimalError) {
      return try header.notation.number(cell)
    } catch {
      var refusal = refuse(quoting: column, error.refusal)
      refusal.advice = header.notation.advice(error, cell)
      throw refusal
    }
  }

  /// A number that must be there.
  func requiredNumber<Number: FixedPoint>(
    _ column: Int, as type: Number.Type = Number.self
  ) throws(RowRefusal) -> Number {
    guard let number = try number(column, as: type) else {
      throw refuse(column, "a value is required")
    }
    return number
  }

  /// A number above zero that must be there.
  func positive<Number: FixedPoint>(
    _ column: Int, as type: Number.Type = Number.self
  ) throws(RowRefusal) -> Number {
    let number = try requiredNumber(column, as: type)
    guard number > .zero else { throw refuse(quoting: column, "must be greater than 0") }
    return number
  }

  /// A number of at least zero.
  func natural<Number: FixedPoint>(
    _ column: Int, as type: Number.Type = Number.self
  ) throws(RowRefusal) -> Number? {
    guard let number = try number(column, as: type) else { return nil }
    guard number >= .zero else { throw refuse(quoting: column, "must not be negative") }
    return number
  }

  /// The number in pounds where the file has it in pence; exact.
  func inUnits<Number: FixedPoint>(
    _ number: Number, _ denomination: Denomination?, _ column: Int
  ) throws(RowRefusal) -> Number {
    guard let denomination, denomination.isPence else { return number }
    let (pounds, rest) = number.units.quotientAndRemainder(dividingBy: 100)
    guard rest == 0 else {
      throw refuse(quoting: column, "pence has more than \(Number.scale) decimal places in pounds")
    }
    return Number(units: pounds)
  }
}

extension DecimalError {
  /// The reason, as it goes on after the quoted cell.
  var refusal: String {
    switch self {
    case .malformed: "is not a decimal number such as -1234.5"
    case .tooManyDecimals(let limit): "has more than \(limit) decimal places"
    case .outOfRange: "is out of range: the magnitude must be below 10^18"
    }
  }
}
