import Accounting
import Foundation
import Testing

@Suite("Returns of periods") struct ReturnMeasuresTests {
  private func money(_ text: String) throws -> Money { try Money(text) }

  @Test("the timing of flows decides the base, not the gain")
  func timing() throws {
    func change(_ timing: ReturnMeasures.FlowTiming) throws -> Double? {
      ReturnMeasures.dailyReturn(
        opening: try money("1000"), closing: try money("1310"), inflow: try money("500"),
        outflow: try money("200"), timing: timing)
    }
    #expect(try change(.inflowsAtStart) == 10.0 / 1_500)
    #expect(try change(.allAtStart) == 10.0 / 1_300)
    #expect(try change(.allAtEnd) == 10.0 / 1_000)
  }

  @Test("a base that is not positive has no return, and a loss of everything is −100 %")
  func bases() throws {
    func change(_ opening: String, _ closing: String, _ inflow: String) throws -> Double? {
      ReturnMeasures.dailyReturn(
        opening: try money(opening), closing: try money(closing), inflow: try money(inflow),
        outflow: .zero)
    }
    #expect(try change("0", "10", "0") == nil)
    #expect(try change("-500", "10", "400") == nil)
    #expect(try change("0", "110", "100") == 0.1)
    #expect(try change("100", "0", "0") == -1)
    #expect(try change("100", "-20", "0") == -1.2)
  }

  @Test("linking is geometric, skips what has no return and ends at 0")
  func linking() {
    #expect(ReturnMeasures.linked(index: 2, by: nil) == 2)
    #expect(ReturnMeasures.linked(index: 2, by: 0.5) == 3)
    #expect(ReturnMeasures.linked(index: 2, by: -1) == 0)
    #expect(ReturnMeasures.linked(index: 2, by: -1.7) == 0)
  }

  @Test("published sub-period returns link to the published whole")
  func publishedLinks() throws {
    var compared = 0
    for fields in try referenceCases("performance.jsonl") {
      guard let expected = fields["expected"] as? [String: Any],
        let parts = expected["sub_period_returns"] as? [NSNumber],
        let whole = expected["twr"] as? NSNumber, let tolerance = fields["tol"] as? NSNumber
      else { continue }
      compared += 1
      let index = parts.reduce(1) { ReturnMeasures.linked(index: $0, by: $1.doubleValue) }
      #expect(abs(index - 1 - whole.doubleValue) <= tolerance.doubleValue)
    }
    #expect(compared == 2)
  }

  @Test("published Modified Dietz returns")
  func publishedDietz() throws {
    var compared = 0
    for fields in try referenceCases("performance.jsonl") {
      guard let expected = fields["expected"] as? [String: Any],
        let whole = expected["modified_dietz"] as? NSNumber,
        let tolerance = fields["tol"] as? NSNumber
      else { continue }
      func dated(_ key: String) throws -> [(day: Day, amount: Money)] {
        try #require(fields[key] as? [[Any]]).map { pair in
          let text = try #require(pair[0] as? String)
          let number = try #require(Int(text.dropFirst("day ".count)))
          let amount = try #require(pair[1] as? NSNumber)
          return (Day(number: Int32(number)), try Money("\(amount.doubleValue)"))
        }
      }
      let values = try dated("valuations")
      let change = try #require(
        ReturnMeasures.modifiedDietz(
          opening: values[0].amount, closing: values[1].amount, from: values[0].day,
          to: values[1].day, flows: try dated("external_flows")))
      compared += 1
      #expect(abs(change - whole.doubleValue) <= tolerance.doubleValue, "\(fields["id"] ?? "")")
    }
    #expect(compared == 4)
  }

  @Test("Modified Dietz without a day or a positive base is nothing")
  func noDietz() throws {
    let day = Day(number: 0)
    let (some, all) = (try money("100"), try money("-100"))
    #expect(
      ReturnMeasures.modifiedDietz(opening: some, closing: some, from: day, to: day, flows: [])
        == nil)
    #expect(
      ReturnMeasures.modifiedDietz(opening: all, closing: some, from: day, to: day + 9, flows: [])
        == nil)
  }

  @Test("only more than a year is annualised")
  func annualizing() throws {
    #expect(ReturnMeasures.annualized(0.5, overDays: 365) == nil)
    let two = try #require(ReturnMeasures.annualized(0.21, overDays: 730))
    #expect(abs(two - 0.1) < 1e-15)
    #expect(ReturnMeasures.annualized(-1, overDays: 730) == -1)
    #expect(ReturnMeasures.annualized(-1.5, overDays: 730) == -1)
  }
}
