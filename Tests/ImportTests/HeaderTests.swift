import Accounting
import Testing

@testable import Import

@Suite("A header is matched to the columns of its kind")
struct HeaderTests {
  private func header(
    _ names: String, map: [ExactText: String] = [:], kind: ImportKind = .prices
  ) throws(ImportError) -> Header {
    let rules = kind == .prices ? PriceRows.columns : ActivityRows.columns
    return try Header(
      names.split(separator: "|", omittingEmptySubsequences: false).map(String.init), map: map,
      rules: rules, kind: kind, source: "f.csv")
  }

  private func refusal(_ names: String, map: [ExactText: String] = [:]) -> ImportError? {
    do throws(ImportError) {
      _ = try header(names, map: map)
      return nil
    } catch {
      return error
    }
  }

  @Test("columns may stand in any order and case")
  func order() throws {
    let header = try header("CLOSE|date|Symbol")
    #expect(header.positions == [1, 2, 0, nil])
    #expect(!header.has(3))
  }

  @Test("an unknown column is refused with the nearest one and all of them")
  func unknown() throws {
    let error = try #require(refusal("date|symbol|clsoe"))
    #expect(error.message == "f.csv: 'clsoe' is not a column of prices")
    #expect(
      error.hint?.hasPrefix(
        "did you mean 'close'? the columns of prices are date, symbol, close, [currency]") == true)
    #expect(error.hint?.hasSuffix("--ignore clsoe") == true)
    #expect(refusal("date|symbol|close|colour")?.hint?.hasPrefix("the columns") == true)
    #expect(refusal("date|symbol|close|")?.message == "f.csv: column 4 has no name")
  }

  @Test("a missing and a repeated column are refused")
  func missingAndRepeated() {
    #expect(refusal("date|symbol")?.message == "f.csv: column 'close' is missing")
    #expect(
      refusal("date|symbol|close|Close")?.message
        == "f.csv: column 'close' stands twice in the header")
  }

  @Test("another separator is guessed")
  func separator() {
    #expect(
      refusal("date;symbol;close")?.hint?.hasPrefix(
        "fields seem to be separated by ';': --delimiter ';'") == true)
  }

  @Test("a map renames headers, and must fit both sides")
  func map() throws {
    let header = try header("Day|symbol|Last", map: ["Day": "date", "Last": "close"])
    #expect(header.positions == [0, 1, 2, nil])
    #expect(
      refusal("date|symbol|close", map: ["x": "close"])?.message
        == "f.csv: no column is headed 'x', which is mapped to 'close'")
    #expect(
      refusal("date|symbol|Last", map: ["Last": "clos"])?.message
        == "f.csv: 'Last' is mapped to 'clos', which is not a column of prices")
    #expect(
      refusal("date|symbol|close|Last", map: ["Last": "close"])?.message
        == "f.csv: column 'close' stands twice in the header")
  }
}
