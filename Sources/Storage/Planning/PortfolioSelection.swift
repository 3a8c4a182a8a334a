public import Accounting
public import Postgres

/// The portfolios that something is for.
///
/// Users name them by code, and a retired one by `CODE#ID`. The names are looked up once; from
/// there on ids are passed, since a code may come to mean another portfolio.
public enum PortfolioSelection: Sendable, Equatable {
  /// Every one, those that come later included.
  case all
  /// Only these, ascending, each once; where there is none, nobody.
  case only([ID<Portfolio>])

  /// Only these, in any order.
  public init(_ portfolios: some Sequence<ID<Portfolio>>) {
    self = .only(Set(portfolios).sorted())
  }

  /// Whether a portfolio is one of them.
  public func includes(_ portfolio: ID<Portfolio>) -> Bool {
    switch self {
    case .all: true
    case .only(let portfolios): portfolios.contains(portfolio)
    }
  }

  /// As statements take it: null stands for all.
  var ids: [Int64]? {
    switch self {
    case .all: nil
    case .only(let portfolios): portfolios.map(\.rawValue)
    }
  }

  /// SQL that is true for a portfolio of the selection.
  ///
  /// Through a hash, as the server makes one of a subquery: it would compare each portfolio with
  /// each element of an array.
  static func contains(_ portfolio: String, _ ids: String) -> String {
    "(\(ids) is null or \(portfolio) in (select unnest(\(ids))))"
  }
}

/// Portfolios as a user named them, looked up.
public struct NamedPortfolios: Sendable {
  /// Those that are meant; all where no name was given.
  public var selection = PortfolioSelection.all
  /// Names without any portfolio, ascending.
  public var unknown: [String] = []
  /// Names of portfolios none of which is meant on the date: it has not begun, or is retired.
  public var absent: [String] = []

  /// Looks names up; no name means all.
  ///
  /// A code means the portfolio that is active on a date, `CODE#ID` the one with that id, retired
  /// or not.
  ///
  /// - Parameter includingRetired: Whether a code means those too that were retired by the date.
  public init(
    _ names: [String], on date: Day, includingRetired: Bool = false, on db: isolated Connection
  ) throws {
    guard !names.isEmpty else { return }
    let names = Set(names.map { ExactText($0) }).map(\.description).sorted()
    let keys = names.map(Self.key)
    let found = try db.rows(
      Self.look, keys.map(\.code), keys.map(\.id), date.postgres, includingRetired
    ) {
      (
        place: Int(try $0.nextInt64()), id: try $0.nextID(Portfolio.self),
        isMeant: try $0.nextBool()
      )
    }
    let meant = found.filter(\.isMeant)
    let (known, present) = (Set(found.map(\.place)), Set(meant.map(\.place)))
    selection = PortfolioSelection(meant.map(\.id))
    for (place, name) in zip(1..., names) where !present.contains(place) {
      if known.contains(place) { absent.append(name) } else { unknown.append(name) }
    }
  }

  /// What a name says: a code, which has no `#`, and after a `#` an id.
  private static func key(_ name: String) -> (code: String, id: Int64?) {
    guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "#")),
      let id = Int64(name[name.utf8.index(after: mark)...]), name.hasSuffix("#\(id)")
    else { return (name, nil) }
    return (String(name[..<mark]), id)
  }

  private static let look = Statement.once(
    "portfolios-named",
    """
    select n.place, p.id, p.inception_date <= $3::date
      and (n.id is not null or $4::boolean or p.retired_on is null or p.retired_on >= $3::date)
    from unnest($1::text[], $2::bigint[]) with ordinality as n (code, id, place)
    join closebell.portfolios p on p.code = n.code and (n.id is null or p.id = n.id)
    """)
}
