import Accounting
import Foundation
import TestSupport
import Testing

/// A scenario of `Fixtures/cases/performance.jsonl`: facts and numbers that others published.
struct PublishedCase: Sendable {
  struct Trade: Sendable {
    var date: String
    var type: String
    var symbol: String?
    var quantity = 0.0
    var price: Double?
    var fees = 0.0
    var amount: Double?
    var currency = ""
  }

  var id: String
  var tolerance: Double
  /// A number, or a list's numbers.
  var expected: [String: [Double]]
  var trades: [Trade]
  var prices: [String: [(date: String, close: Double)]]
  var rates: [(date: String, rate: Double)]
  /// The dates are `day 5` in some textbooks.
  var flows: [(date: String, amount: Double)]
  var valuations: [(date: String, value: Double)]

  init(_ fields: [String: Any]) throws {
    id = try #require(fields["id"] as? String)
    tolerance = try #require(fields["tol"] as? NSNumber).doubleValue
    expected = try #require(fields["expected"] as? [String: Any]).mapValues(Self.numbers)
    trades = (fields["transactions"] as? [[String: Any]] ?? []).map(Self.trade)
    prices = (fields["prices"] as? [String: [String: Any]] ?? [:]).mapValues {
      Self.series($0["values"]).map { ($0.0, $0.1) }
    }
    rates = (fields["fx"] as? [String: Any] ?? [:]).values.flatMap { Self.series($0) }
      .map { ($0.0, $0.1) }
    flows = Self.series(fields["external_flows"]).map { ($0.0, $0.1) }
    valuations = Self.series(fields["valuations"]).map { ($0.0, $0.1) }
  }

  static func all() throws -> [PublishedCase] {
    let text = try String(contentsOfFile: Fixtures.path("cases/performance.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return try PublishedCase(try #require(object as? [String: Any]))
    }
  }

  private static func trade(_ fields: [String: Any]) -> Trade {
    func number(_ key: String) -> Double? { (fields[key] as? NSNumber)?.doubleValue }
    return Trade(
      date: fields["date"] as? String ?? "", type: fields["type"] as? String ?? "",
      symbol: fields["symbol"] as? String, quantity: number("quantity") ?? 0,
      price: number("price"), fees: number("fees") ?? 0, amount: number("amount"),
      currency: fields["currency"] as? String ?? "")
  }

  private static func series(_ value: Any?) -> [(String, Double)] {
    (value as? [[Any]] ?? []).compactMap { pair in
      guard let date = pair.first as? String, let number = pair[1] as? NSNumber else { return nil }
      return (date, number.doubleValue)
    }
  }

  private static func numbers(_ value: Any) -> [Double] {
    if let number = value as? NSNumber { return [number.doubleValue] }
    return (value as? [Any] ?? []).compactMap { item in
      (item as? NSNumber)?.doubleValue ?? ((item as? [Any])?.last as? NSNumber)?.doubleValue
    }
  }
}

/// What became of a scenario's expectations: each is compared, or listed with the reason why not.
struct Findings: Sendable {
  struct Comparison: Sendable {
    var key: String
    var ours: [Double]
    var place: String
  }

  private(set) var compared: [Comparison] = []
  private(set) var listed: [(key: String, reason: String)] = []

  /// A number of ours against the published one.
  mutating func compare(_ key: String, _ ours: Double?, in place: String) {
    compared.append(Comparison(key: key, ours: [ours ?? .nan], place: place))
  }

  /// Numbers of ours against a published list.
  mutating func compare(_ key: String, all ours: [Double], in place: String) {
    compared.append(Comparison(key: key, ours: ours, place: place))
  }

  /// An amount of ours, rounded to the cents that the source prints.
  mutating func compareCents(_ key: String, _ ours: Double?, in place: String) {
    compare(key, ours.map { ($0 * 100).rounded() / 100 }, in: place + ", to cents")
  }

  /// Expectations of another method than ours.
  mutating func list(_ keys: String..., because reason: String) {
    listed += keys.map { ($0, reason) }
  }

  var keys: [String] { (compared.map(\.key) + listed.map(\.key)).sorted() }
}

/// A number as a file has it: up to so many decimals.
func decimal(_ number: Double, _ places: Int = 12) -> String {
  var text = String(format: "%.\(places)f", number)
  while text.last == "0" { text.removeLast() }
  if text.last == "." { text.removeLast() }
  return text
}

/// Growth a year by 365.25 days, as hledger counts, from the rate of our solver by 365.
func julianRate(_ flows: [(String, Double)]) -> Double? {
  let dated = flows.compactMap { flow in
    Day(flow.0).map { DatedFlow(day: $0, amount: flow.1) }
  }
  return InternalRate.solve(dated, closingValue: nil, on: Day(number: 0)).logGrowth
    .map { expm1($0 * 365.25 / 365) }
}
