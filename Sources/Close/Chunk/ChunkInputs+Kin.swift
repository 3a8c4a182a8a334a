internal import Accounting
internal import Postgres
internal import Storage

/// Holdings that a segment meets only through corporate actions: units pass to them, or passed
/// from them to what is held.
extension ChunkInputs {
  /// One statement for all segments; none where no action of the market passes units.
  static func loadKin(
    of segments: [ChainSegment], into books: inout [ID<Portfolio>: Book], market: LoadedMarket,
    on db: isolated Connection
  ) throws {
    let kinship = Kinship(market.market.passages)
    if kinship.isEmpty { return }
    var asked: [(portfolio: ID<Portfolio>, instrument: ID<Instrument>)] = []
    for segment in segments {
      guard let book = books[segment.portfolio.id] else { continue }
      let kin = kinship.kin(of: book.heldInstruments, through: segment.through)
      asked += kin.sorted().map { (segment.portfolio.id, $0) }
    }
    guard !asked.isEmpty else { return }
    for fund in try Loading.funds(of: asked, on: db) { books[fund.portfolio]?.kin.append(fund) }
  }
}

extension ChunkInputs.Book {
  /// The instruments of its rows.
  fileprivate var heldInstruments: Set<ID<Instrument>> {
    var result = Set(holdings.map(\.instrument))
    result.formUnion(statements.lazy.map(\.instrument))
    result.formUnion(activities.lazy.compactMap(\.instrument))
    return result
  }
}

/// Between which instruments units pass.
private struct Kinship {
  private let bySource: [ID<Instrument>: [UnitPassage]]
  private let byTarget: [ID<Instrument>: [UnitPassage]]

  init(_ passages: [UnitPassage]) {
    bySource = Dictionary(grouping: passages, by: \.source)
    byTarget = Dictionary(grouping: passages, by: \.target)
  }

  var isEmpty: Bool { bySource.isEmpty }

  /// What else than some instruments a book has to do with up to a date: what units of theirs
  /// became, and where their lots came from; histories are told again from their first date.
  func kin(of held: Set<ID<Instrument>>, through: Day) -> Set<ID<Instrument>> {
    var kin: Set<ID<Instrument>> = []
    var open = held.filter { bySource[$0] != nil || byTarget[$0] != nil }
    while let one = open.popFirst() {
      let found =
        (bySource[one] ?? []).filter { $0.exDate <= through }.map(\.target)
        + (byTarget[one] ?? []).filter { $0.exDate <= through }.map(\.source)
      for other in found where !held.contains(other) && kin.insert(other).inserted {
        open.insert(other)
      }
    }
    return kin
  }
}
