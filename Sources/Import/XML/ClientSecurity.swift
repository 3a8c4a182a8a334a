internal import Accounting

/// A security of Portfolio Performance.
struct ClientSecurity {
  var name = ""
  var currency = ""
  /// For a series of exchange rates: the currency that one of `currency` is so much of.
  var targetCurrency = ""
  var isin = ""
  var ticker = ""
  var wkn = ""
  /// Whether it was said why its closes are not taken.
  var isRefused = false

  /// What it is called in the books; empty where it has no such name.
  var symbol: String { [ticker, isin, wkn].first { !$0.isEmpty } ?? "" }

  /// Takes a field of its body.
  mutating func take(_ field: String, _ text: String) {
    switch field {
    case "name": name = text
    case "currencyCode": currency = text
    case "targetCurrencyCode": targetCurrency = text
    case "isin": isin = text
    case "tickerSymbol": ticker = text
    case "wkn": wkn = text
    default: break
    }
  }
}

/// All securities of a file, and how it refers to them.
struct SecurityList {
  private var all: [ClientSecurity] = []
  private var numbers: [ExactText: Int] = [:]
  private var owners: [ExactText: Int] = [:]

  subscript(_ number: Int) -> ClientSecurity {
    get { all[number] }
    set { all[number] = newValue }
  }

  /// A security whose body begins.
  mutating func add() -> Int {
    all.append(ClientSecurity())
    return all.count - 1
  }

  /// Lets references to a path, or to `#` and a number, mean a security.
  mutating func register(_ number: Int, as name: String) { numbers[ExactText(name)] = number }

  /// What a path, or `#` and a number, refers to.
  func number(of name: String) -> Int? { numbers[ExactText(name)] }

  /// The symbol by which the books know a security.
  ///
  /// - Throws: A refusal where it has none, or an earlier one has the same.
  mutating func symbol(of number: Int) throws(RowRefusal) -> String {
    let security = all[number]
    let symbol = security.symbol
    guard !symbol.isEmpty else {
      throw RowRefusal(
        field: "symbol",
        message: "'\(security.name.prefix(100))' has neither a ticker symbol, an ISIN nor a WKN: "
          + "give it one in Portfolio Performance")
    }
    let owner = owners[ExactText(symbol), default: number]
    owners[ExactText(symbol)] = owner
    guard owner == number else {
      throw RowRefusal(
        field: "symbol",
        message: "'\(symbol.prefix(100))' is the symbol of '\(all[owner].name.prefix(100))' too: "
          + "give one of them another in Portfolio Performance")
    }
    return symbol
  }
}
