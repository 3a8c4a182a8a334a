/// One calculation of a close written out with its numbers: what a reader can redo by hand.
///
/// The result is what the books made, not what the expression evaluates to: a test evaluates
/// every expression again and finds the same.
public struct Formula: Hashable, Sendable {
  /// How the exact value of the expression became the result.
  public enum Rounding: String, Hashable, Sendable, CaseIterable {
    /// Not at all.
    case exact
    /// Once, half to even, to four decimals: money.
    case money
    /// Once, half to even, to twelve decimals: a rate, a quantity, a close carried over a split.
    case twelve
    /// In binary floating point: returns and what is made of them.
    case binary
  }

  /// What it makes, for example `market value`.
  public var name: String
  /// What the terms are, in words, where the name does not say it already; else empty.
  public var rule: String
  /// The numbers and signs.
  public var expression: Expression
  /// The number it makes, as plain decimal text.
  public var result: String
  /// How the result was rounded.
  public var rounding: Rounding

  private init(
    _ name: String, rule: String, _ expression: Expression, _ result: String, _ rounding: Rounding
  ) {
    self.name = name
    self.rule = rule
    self.expression = expression
    self.result = result
    self.rounding = rounding
  }

  /// An amount; rounded if its expression has a product or a quotient.
  init(_ name: String, rule: String = "", _ expression: Expression, _ result: Money) {
    self.init(
      name, rule: rule, expression, result.description, expression.isSumOnly ? .exact : .money)
  }

  /// A rate, a quantity or a price, rounded to twelve decimals.
  static func twelve(
    _ name: String, _ expression: Expression, _ result: some FixedPoint
  ) -> Formula {
    Formula(name, rule: "", expression, result.text(minimumDecimals: 0), .twelve)
  }

  /// A number in binary floating point.
  static func binary(
    _ name: String, rule: String, _ expression: Expression, _ result: Double
  ) -> Formula {
    Formula(name, rule: rule, expression, "\(result)", .binary)
  }

  /// A sum of signed amounts; what is zero is left out, where anything is left.
  static func sum(
    _ name: String, rule: String = "", _ terms: [Money], _ result: Money
  ) -> Formula {
    Formula(name, rule: rule, .sum(terms), result)
  }
}

/// Numbers and signs, in the order in which they are written.
public struct Expression: Hashable, Sendable {
  /// A part of it.
  public enum Token: Hashable, Sendable {
    /// A plain decimal, perhaps with a minus.
    case number(String)
    /// One of `+ - * / ( )`.
    case sign(Character)
  }

  /// From left to right; products and quotients bind closer than sums, equal ones from the left.
  public private(set) var tokens: [Token]
  /// Whether it must stand in parentheses within a product.
  private var isSum = false

  private init(_ tokens: [Token], isSum: Bool = false) {
    self.tokens = tokens
    self.isSum = isSum
  }

  /// A number, without needless zeros; an amount with two decimals at least.
  static func of<Number: FixedPoint>(_ value: Number) -> Expression {
    Expression([.number(value.text(minimumDecimals: Number.self == Money.self ? 2 : 0))])
  }

  /// A number in binary floating point.
  static func of(_ value: Double) -> Expression { Expression([.number("\(value)")]) }

  /// A sum of signed amounts; what is zero is left out, where anything is left.
  static func sum(_ terms: [Money]) -> Expression {
    let known = terms.filter { !$0.isZero }
    guard let first = known.first else { return .of(Money.zero) }
    return known.dropFirst().reduce(into: .of(first)) { $0.add(.of($1)) }
  }

  /// Whether it is a number alone: nothing was done to it.
  public var isNumber: Bool { tokens.count == 1 }

  /// Whether nothing is multiplied or divided, so that nothing was rounded.
  var isSumOnly: Bool { !tokens.contains(.sign("*")) && !tokens.contains(.sign("/")) }

  static func + (left: Expression, right: Expression) -> Expression {
    var sum = left
    sum.add(right)
    return sum
  }

  /// In place, since a sum may have very many terms; a negative number changes the sign before it.
  private mutating func add(_ term: Expression) {
    isSum = true
    if term.isNumber, case .number(let text) = term.tokens[0], text.hasPrefix("-") {
      tokens.append(.sign("-"))
      tokens.append(.number(String(text.dropFirst())))
    } else {
      tokens.append(.sign("+"))
      tokens += term.tokens
    }
  }

  static func * (left: Expression, right: Expression) -> Expression {
    Expression(left.asFactor.tokens + [.sign("*")] + right.asFactor.tokens)
  }

  static func / (left: Expression, right: Expression) -> Expression {
    let divisor = right.isNumber ? right : right.inParentheses
    return Expression(left.asFactor.tokens + [.sign("/")] + divisor.tokens)
  }

  private var asFactor: Expression { isSum ? inParentheses : self }

  private var inParentheses: Expression {
    Expression([.sign("(")] + tokens + [.sign(")")])
  }

  /// The expression as a program reads it: `(8445 - 4427.75) * 0.770531019979`.
  public var text: String {
    var text = ""
    for token in tokens {
      switch token {
      case .number(let number): text += number
      case .sign("("): text += "("
      case .sign(")"): text += ")"
      case .sign(let sign): text += " \(sign) "
      }
    }
    return text
  }
}
