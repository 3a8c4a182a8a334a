internal import Accounting

extension Cells {
  /// A number; nothing is rounded.
  func number<Number: FixedPoint>(
    _ column: Int, as _: Number.Type = Number.self
  ) throws(RowRefusal) -> Number? {
    guard let cell = bytes(column) else { return nil }
    do throws(DecimalError) {
      if header.decimalComma { return try Number(decimal: try Self.plain(cell)) }
      return try Number(decimal: cell)
    } catch {
      throw refuse(quoting: column, error.refusal)
    }
  }

  /// `1.234,56` as `1234.56`; points stand before groups of three digits, or not at all.
  static func plain(
    _ cell: some Sequence<UInt8>, point: UInt8 = UInt8(ascii: ","),
    group: UInt8 = UInt8(ascii: ".")
  ) throws(DecimalError) -> [UInt8] {
    var plain: [UInt8] = []
    var (groups, digits, hasPoint) = (0, 0, false)
    for byte in cell {
      switch byte {
      case group where !hasPoint:
        guard groups == 0 ? (1...3).contains(digits) : digits == 3 else { throw .malformed }
        (groups, digits) = (groups + 1, 0)
      case point where !hasPoint:
        hasPoint = true
        guard groups == 0 || digits == 3 else { throw .malformed }
        plain.append(UInt8(ascii: "."))
      case group, point: throw .malformed
      default:
        if byte != UInt8(ascii: "-"), byte != UInt8(ascii: "+") { digits += 1 }
        plain.append(byte)
      }
    }
    guard hasPoint || groups == 0 || digits == 3 else { throw .malformed }
    return plain
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
