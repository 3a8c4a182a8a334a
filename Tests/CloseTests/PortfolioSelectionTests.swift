import Accounting
import Close
import Postgres
import TestSupport
import Testing

@testable import Storage

/// Names of portfolios are looked up once, and mean what they meant then.
@Suite struct PortfolioSelectionTests {
  /// ALPHA was retired and begun anew; BETA is yet to begin.
  private static func books() async throws -> DemoBooks {
    let books = try await DemoBooks.empty()
    try await books.execute(
      """
      insert into closebell.portfolios (id, code, name, base_currency, inception_date, retired_on)
      values (1, 'ALPHA', 'Old', 'USD', '2024-01-01', '2024-02-01'),
        (2, 'ALPHA', 'New', 'USD', '2024-03-01', null),
        (3, 'BETA', 'Beta', 'USD', '2024-06-01', null),
        (4, 'GAMMA', 'Gamma', 'USD', '2024-01-01', '2024-01-15')
      """)
    return books
  }

  private static func named(
    _ names: [String], on date: String, includingRetired: Bool = false, _ books: DemoBooks
  ) async throws -> NamedPortfolios {
    let day = try #require(Day(date))
    return try await books.perform { db in
      try NamedPortfolios(names, on: day, includingRetired: includingRetired, on: db)
    }
  }

  private static func only(_ ids: Int64...) -> PortfolioSelection {
    PortfolioSelection(ids.map { ID($0) })
  }

  @Test("a code means the portfolio that is active on the date, CODE#ID one whatever its state")
  func meaning() async throws {
    let books = try await Self.books()
    for (names, date, expected) in [
      (["ALPHA"], "2024-01-10", Self.only(1)), (["ALPHA"], "2024-04-01", Self.only(2)),
      (["ALPHA", "ALPHA#1", "ALPHA#2"], "2024-04-01", Self.only(1, 2)),
      (["GAMMA#4"], "2024-04-01", Self.only(4)), (["GAMMA", "ALPHA"], "2024-04-01", Self.only(2)),
      (["GAMMA"], "2024-04-01", Self.only()), (["BETA"], "2024-04-01", Self.only()),
      ([], "2024-04-01", PortfolioSelection.all),
    ] {
      let found = try await Self.named(names, on: date, books)
      #expect(found.selection == expected, "\(names) on \(date)")
      #expect(found.unknown == [])
    }
    let all = try await Self.named(
      ["ALPHA", "GAMMA"], on: "2024-04-01", includingRetired: true, books)
    #expect(all.selection == Self.only(1, 2, 4))
  }

  @Test("a name without a portfolio is told from one whose portfolio is not meant on the date")
  func unknown() async throws {
    let books = try await Self.books()
    let names = [
      "ALPHA#3", "ALPHA#", "#1", "ALPHA#01", "ALPHA#+1", "alpha", "", "ALPHA#1#1", "GAMMA", "BETA",
      "ALPHA", "nobody", "nobody",
    ]
    let found = try await Self.named(names, on: "2024-04-01", books)
    #expect(found.selection == Self.only(2))
    #expect(
      found.unknown == [
        "", "#1", "ALPHA#", "ALPHA#+1", "ALPHA#01", "ALPHA#1#1", "ALPHA#3", "alpha", "nobody",
      ])
    #expect(found.absent == ["BETA", "GAMMA"])
  }

  @Test("portfolios that were selected come range by range, those that have begun, and no others")
  func ranges() async throws {
    let books = try await Self.books()
    let day = try #require(Day("2024-04-01"))
    for limit in [1, 2, 10] {
      let ids = try await books.perform { db in
        var ids: [Int64] = []
        while true {
          let range = try Planning.portfolios(
            after: ids.last ?? 0, limit: limit, activeOn: day, of: Self.only(1, 2, 3, 4, 7), on: db)
          guard !range.isEmpty else { return ids }
          ids += range.map(\.portfolio.id.rawValue)
        }
      }
      #expect(ids == [1, 2, 4], "\(limit) at a time")
    }
  }

  @Test("nobody is not everybody: a selection without a portfolio has none")
  func nobody() async throws {
    let books = try await DemoBooks.small()
    let counts = try await books.perform { db in
      try [PortfolioSelection.all, Self.only()].map { selection in
        let all = try Planning.portfolios(
          after: 0, limit: 10, activeOn: .latest, of: selection, on: db)
        let slots = try RecomputingSession.slotCount(
          from: .earliest, through: .latest, of: selection, on: db)
        return all.isEmpty && slots == 0
      }
    }
    #expect(counts == [false, true])
  }
}
