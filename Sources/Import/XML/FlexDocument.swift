internal import Accounting

/// Interactive Brokers: the answer to a Flex query as XML, whatever sections it has.
///
/// Trades are those of the CSV file, under the names of attributes. What repeats others, as orders
/// repeat executions and summaries details, is passed over where the others are there.
final class FlexDocument: ExportDocument {
  let columns: [String]
  private let kind: ImportKind
  /// The portfolio that every row is of; nil where the account's name is the portfolio's.
  private let portfolio: String?
  /// How the query was told to write dates, and whether numbers are rounded.
  private let notation: Notation
  private var rows: [DocumentRow] = []
  private var hasBegun = false
  /// Of the section: how many elements are details, and how many sum others up.
  private var (details, sums) = (0, 0)
  /// The currency of each symbol that was given out as an instrument.
  private var instruments: [ExactText: String] = [:]

  /// - Returns: nil where there are no such rows in the export.
  init?(_ kind: ImportKind, portfolio: String?, _ notation: Notation = Notation()) {
    switch kind {
    case .activities: columns = ExportedActivity.columns
    case .instruments: columns = ["symbol", "name", "kind", "currency", "multiplier"]
    case .fxRates: columns = ["date", "base", "quote", "rate"]
    default: return nil
    }
    self.kind = kind
    self.portfolio = portfolio
    self.notation = notation
  }

  func takeRows() -> [DocumentRow] {
    defer { rows.removeAll(keepingCapacity: true) }
    return rows
  }

  func start(_ element: XMLElement, _ reader: XMLReader) {
    guard hasBegun else { return begin(element, reader) }
    let element = FlexElement(element: element, notation: notation)
    switch kind {
    case .activities: activity(element, reader)
    case .instruments: instrument(element, reader)
    default: rate(element, reader)
    }
  }

  func end(_ name: String, text: String, _ reader: XMLReader) {
    guard kind == .activities, name == "Trades" || name == "CashTransactions" else { return }
    guard sums > 0, details == 0 else { return }
    let level = name == "Trades" ? "Execution" : "Detail"
    emit(
      [[]],
      RowRefusal(
        field: nil,
        message: "the section \(name) has sums alone: export it with the level \(level)"), reader)
  }

  private func begin(_ element: XMLElement, _ reader: XMLReader) {
    hasBegun = true
    switch element.name {
    case "FlexQueryResponse": break
    case "FlexStatementResponse":
      reader.refuse(
        "it is the web service's answer that the statement is not there, and not the statement",
        hint: "ask again for the statement, some minutes later")
    default:
      reader.refuse(
        "its root is <\(element.name.prefix(60))>, and that of a Flex query is "
          + "<FlexQueryResponse>",
        hint: "export an Activity Flex query in the format XML")
    }
  }

  private func emit(_ lines: [[String]], _ refusal: RowRefusal?, _ reader: XMLReader) {
    let place = reader.place
    let whole = lines.map { $0.isEmpty ? columns.map { _ in "" } : $0 }
    rows.append(
      DocumentRow(line: place.line, end: place.end, lines: whole, refusal: refusal))
  }

  // MARK: activities

  private func activity(_ element: FlexElement, _ reader: XMLReader) {
    switch element.name {
    case "Trades", "CashTransactions": (details, sums) = (0, 0)
    case "Trade":
      details += 1
      emit(element, reader) { element throws(RowRefusal) in try element.trade() }
    case "Order": sums += 1
    case "CashTransaction":
      guard element["levelOfDetail"] != "SUMMARY", element["currency"] != "BASE_SUMMARY" else {
        sums += 1
        return
      }
      details += 1
      emit(element, reader) { element throws(RowRefusal) in try element.cash() }
    case "Transfer":
      guard element["levelOfDetail"] != "LOT" else { return }
      emit(element, reader) { element throws(RowRefusal) in try element.transfer() }
    case "CorporateAction":
      guard element["levelOfDetail"] != "SUMMARY" else { return }
      emit(element, reader) { element throws(RowRefusal) in throw element.corporateAction }
    case "TradeTransfer":
      emit(element, reader) { _ throws(RowRefusal) in
        throw RowRefusal(
          field: nil, message: "a trade done elsewhere and transferred: enter it by hand")
      }
    default: break
    }
  }

  private func emit(
    _ element: FlexElement, _ reader: XMLReader,
    _ meaning: (FlexElement) throws(RowRefusal) -> [ExportedActivity]
  ) {
    do throws(RowRefusal) {
      let activities = try meaning(element)
      emit(activities.map { $0.cells(portfolio: portfolio) }, nil, reader)
    } catch {
      let draft = element.draft
      emit([draft.cells(portfolio: portfolio)], error, reader)
    }
  }

  // MARK: instruments and rates

  private func instrument(_ element: FlexElement, _ reader: XMLReader) {
    switch element.name {
    case "Trade", "SecurityInfo", "OpenPosition", "Transfer": break
    default: return
    }
    let (symbol, currency) = (element.symbol, element["currency"])
    guard !symbol.isEmpty, element["assetCategory"] != "CASH" else { return }
    if let known = instruments[ExactText(symbol)], known == currency { return }
    let cells = [symbol, element["description"], "", currency, element["multiplier"]]
    do throws(RowRefusal) {
      if let known = instruments[ExactText(symbol)] {
        throw RowRefusal(
          field: "symbol", message: "'\(symbol)' stands for instruments in \(known) and \(currency)"
        )
      }
      let (word, multiplier) = try element.instrument()
      instruments[ExactText(symbol)] = currency
      let name = cells[1].isEmpty ? symbol : cells[1]
      emit([[symbol, name, word, currency, multiplier]], nil, reader)
    } catch {
      emit([cells], error, reader)
    }
  }

  private func rate(_ element: FlexElement, _ reader: XMLReader) {
    guard element.name == "ConversionRate" else { return }
    let (base, quote) = (element["fromCurrency"], element["toCurrency"])
    // Interactive Brokers writes -1 where it has no rate.
    guard base != quote, element["rate"] != "-1" else { return }
    emit([[element.day("reportDate"), base, quote, element["rate"]]], nil, reader)
  }
}
