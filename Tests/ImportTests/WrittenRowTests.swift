import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

@Suite("Files as vendors and people write them, and what of them is refused")
struct WrittenRowTests {
  private static let prices =
    "select price_date, trim_scale(close) from closebell.prices order by price_date"
  private static let log = """
    select a.activity_type, a.activity_date, trim_scale(a.quantity), trim_scale(a.price),
      trim_scale(a.amount), trim_scale(a.fee)
    from closebell.holding_activity_log a order by a.id
    """

  private static func request(
    _ kind: ImportKind, _ text: String, _ change: (inout ImportRequest) -> Void = { _ in }
  ) -> ImportRequest {
    var request = ImportRequest(kind: kind, source: .bytes(Array(text.utf8)), batchSize: 3)
    change(&request)
    return request
  }

  private static func refusal(_ books: Books, _ request: ImportRequest) async -> ImportError? {
    do {
      _ = try await books.run(request)
      return nil
    } catch {
      return error as? ImportError
    }
  }

  @Test("exponents are read with no option, float noise with --round, and the report says how many")
  func machines() async throws {
    let books = try await Books.small()
    let text = """
      date,symbol,close
      2024-01-02,ACME,1.0250000000000001E2
      2024-01-03,ACME,1E-05
      2024-01-04,ACME,101.5
      """
    let refused = try await books.run(Self.request(.prices, text))
    #expect(
      refused.refusedRows.map { "\($0.row) \($0.message)" } == [
        "1 '1.0250000000000001E2' has more than 12 decimal places"
      ])
    #expect(refused.hints.count == 1 && refused.hints[0].contains("--round"))
    #expect(refused.roundedNumbers == 0)
    let report = try await books.run(Self.request(.prices, text) { $0.rounds = true })
    #expect(report.refused == 0 && report.roundedNumbers == 1)
    #expect(
      try await books.texts(Self.prices) == [
        "(2024-01-02,102.5)", "(2024-01-03,0.00001)", "(2024-01-04,101.5)",
      ])
  }

  @Test("an English file of quotes above a thousand is read with --grouping, and hints name it")
  func grouping() async throws {
    let books = try await Books.small()
    let text = "Date,Quote\n2024-02-01,988.75\n2024-02-02,\"1,043.50\"\n2024-02-05,$990\n"
    func quotes(_ grouping: Bool) -> ImportRequest {
      Self.request(.prices, text) {
        $0.columnMap = ["Quote": "close"]
        $0.constants = ["symbol": "ACME"]
        $0.grouping = grouping
      }
    }
    let refused = try await books.run(quotes(false))
    #expect(refused.refusedRows.map(\.row) == [2, 3])
    #expect(refused.hints == ["--grouping reads 1,234.56, $1,234.56 and (123.45)"])
    let report = try await books.run(quotes(true))
    #expect([report.refused, report.inserted] == [0, 2])
    #expect(try await books.texts(Self.prices).contains("(2024-02-02,1043.5)"))
  }

  @Test("one number that cannot be grouped speaks against the option: nothing is taken")
  func judged() async throws {
    let books = try await Books.small()
    let points = Self.request(.prices, "date;close\n2024-01-03;208.750\n2024-01-02;208.75\n") {
      $0.constants = ["symbol": "ACME"]
      $0.delimiter = UInt8(ascii: ";")
      $0.decimalComma = true
    }
    let refusal = try #require(await Self.refusal(books, points))
    #expect(refusal.message.contains("row 2 (line 3), close: '208.75' has a decimal point"))
    #expect(refusal.hint?.contains("--delimiter ';' instead of --decimal-comma") == true)
    let commas = Self.request(.prices, "date;close\n2024-01-03;1,500\n2024-01-02;12,5\n") {
      $0.constants = ["symbol": "ACME"]
      $0.delimiter = UInt8(ascii: ";")
      $0.grouping = true
    }
    #expect(await Self.refusal(books, commas)?.hint?.contains("--decimal-comma") == true)
    #expect(try await books.texts(Self.prices).isEmpty)
    #expect(
      try await books.texts("select 1 from closebell.import_jobs where kind = 'prices'").isEmpty)
    var plain = points
    plain.decimalComma = false
    #expect(try await books.run(plain).inserted == 2)
  }

  @Test("an export is judged as well, and so is what comes through a pipe, with ids or without")
  func judgedExports() async throws {
    let books = try await Books.small()
    let text = """
      Date;Code;DataSource;Currency;Price;Quantity;Action;Fee;Note
      16-09-2021;ACME;YAHOO;USD;208.750;5;buy;19;
      17-09-2021;ACME;YAHOO;USD;208.75;5;buy;19;
      """
    let request = Self.request(.activities, text) {
      $0.format = .ghostfolio
      $0.constants = ["portfolio": "ALPHA"]
      $0.delimiter = UInt8(ascii: ";")
      $0.decimalComma = true
    }
    #expect(
      await Self.refusal(books, request)?.message.contains("row 2 (line 3), Price: '208.75'")
        == true)
    for hasIDs in [true, false] {
      let books = try await Books.small()
      let rows = (1...2_000).map {
        (hasIDs ? "D\($0);" : "")
          + "ALPHA;2024-01-02;deposit;1.\(String($0 + 10_000).suffix(3)),50\n"
      }
      let packed = try await ScratchFile(
        (hasIDs ? "id;" : "") + "portfolio;date;type;amount\n" + rows.joined()
      ).compressed()
      var request = ImportRequest(kind: .activities, source: .file(packed.path), batchSize: 300)
      request.delimiter = UInt8(ascii: ";")
      request.decimalComma = true
      #expect(try await books.run(request).inserted == 2_000)
      #expect(try await books.run(request).unchanged == 2_000)
    }
  }

  @Test("words are read in any case, and a word of the file's own as what it is said to mean")
  func words() async throws {
    let books = try await Books.small()
    let text = """
      date,action,symbol,quantity,price,fees,currency,status
      2022-07-05,BUY,ACME,88,140.25,0.00,USD,Active
      2022-08-05,Market buy,ACME,2,141,0.5,USD,
      2022-10-11,Sell,ACME,17,92.40,0.04,USD,ACTIVE
      2022-10-12,Journal,ACME,17,92.40,0.04,USD,
      2022-10-13,Journal,ACME,17,92.40,0.04,USD,
      """
    let report = try await books.run(
      Self.request(.activities, text) {
        $0.columnMap = ["action": "type", "fees": "fee"]
        $0.constants = ["portfolio": "ALPHA"]
        $0.meanings = ["market BUY": "buy"]
      })
    #expect([report.inserted, report.refused] == [3, 2])
    #expect(
      report.refusedRows.map(\.message)
        == Array(repeating: "'Journal' is no type that there is", count: 2))
    #expect(report.hints.count == 1)
    #expect(report.hints[0].contains("deposit") && report.hints[0].contains("--word Journal="))
    #expect(
      try await books.texts(Self.log).map { $0.prefix(16) }
        == ["(buy,2022-07-05,", "(buy,2022-08-05,", "(sell,2022-10-11"])
  }

  @Test("a cancelled row needs no more than its keys, in whatever case the word is written")
  func cancelled() async throws {
    let books = try await Books.small()
    _ = try await books.run(
      Self.request(
        .activities, "id,portfolio,date,type,amount\nA1,ALPHA,2024-01-02,deposit,10\n"))
    let report = try await books.run(
      Self.request(
        .activities, "id,portfolio,date,type,status\nA1,ALPHA,2024-01-02,Deposit,CANCELLED\n"))
    #expect([report.refused, report.updated] == [0, 1])
  }

  struct Vendor: Sendable {
    var text: String
    var ignored: [String]
    var change: @Sendable (inout ImportRequest) -> Void = { _ in }
  }

  static let vendors = [
    Vendor(
      text: "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,9.1,9.6,9.0,9.5,9.3,1000\n",
      ignored: ["open", "High", "Low", "Adj Close", "Volume"]
    ) { $0.constants = ["symbol": "ACME"] },
    Vendor(
      text: "timestamp,open,high,low,close,volume\n2024-01-02 16:00:00,9.1,9.6,9.0,9.5,1000\n",
      ignored: ["open", "high", "low", "volume"]
    ) {
      $0.constants = ["symbol": "ACME"]
      $0.columnMap = ["timestamp": "date"]
    },
    Vendor(
      text: "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        + "ACME,D,20240102,000000,9.1,9.6,9.0,9.5,1000,0\n",
      ignored: ["<PER>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<VOL>", "<OPENINT>"]
    ) {
      $0.columnMap = ["<TICKER>": "symbol", "<DATE>": "date", "<CLOSE>": "close"]
      $0.dateFormat = DateFormat("YYYYMMDD")
    },
  ]

  @Test("a vendor's prices with more columns than ours: each that is passed over is named")
  func vendorColumns() async throws {
    for vendor in Self.vendors {
      let books = try await Books.small()
      var request = Self.request(.prices, vendor.text, vendor.change)
      let hint = try #require(await Self.refusal(books, request)?.hint)
      for header in vendor.ignored {
        #expect(hint.lowercased().contains(header.lowercased()), "\(header) in \(hint)")
      }
      request.ignored = vendor.ignored
      #expect(try await books.run(request).inserted == 1)
      #expect(try await books.texts(Self.prices) == ["(2024-01-02,9.5)"])
    }
  }

  @Test("a header that is ignored and not there is refused, as one that is mapped")
  func ignoredAndNotThere() async throws {
    let books = try await Books.small()
    let request = Self.request(.prices, "date,symbol,close\n2024-01-02,ACME,1\n") {
      $0.ignored = ["Volume"]
    }
    #expect(
      await Self.refusal(books, request)?.message.contains("no column is headed 'Volume'") == true)
  }

  @Test("title lines, comments and totals are passed over as asked, and rows keep their numbers")
  func titlesAndTotals() async throws {
    let books = try await Books.small()
    let text = """
      "Prices of "Acme", as of 2024-01-05
      made by hand;

      date,symbol,close
      # the first week
      2024-01-02,ACME,1
      2024-01-03,ACME,x
      "Total",,2
      "total rows: 2"

      """
    let request = Self.request(.prices, text) {
      $0.headerLine = 4
      $0.passedOver = ["Total", "#"]
    }
    let report = try await books.run(request)
    #expect([report.processed, report.inserted, report.refused] == [2, 1, 1])
    #expect(report.passedOver == 3)
    #expect(report.refusedRows.map { "\($0.row) \($0.line)" } == ["3 7"])
    let header = try await books.texts(
      "select convert_from(header_row, 'UTF8') from closebell.import_jobs where kind = 'prices'")
    #expect(header.count == 1 && header[0].contains("made by hand"))
    let without = try await books.run(Self.request(.prices, text) { $0.headerLine = 4 })
    #expect(without.refused == 4)
    #expect(without.hints.contains { $0.contains("--skip-rows") })
    let nowhere = Self.request(.prices, text) { $0.headerLine = 40 }
    #expect(await Self.refusal(books, nowhere)?.message.contains("no header on line 40") == true)
  }

  @Test("a file of which nearly all rows are passed over is read to its end")
  func mostlyPassedOver() async throws {
    let books = try await Books.small()
    let comment = "# " + String(repeating: "x", count: 1_000) + "\n"
    let text =
      "date,symbol,close\n" + String(repeating: comment, count: 9_000)
      + "2024-01-02,ACME,1\n" + comment
    let report = try await books.run(Self.request(.prices, text) { $0.passedOver = ["#"] })
    #expect([report.inserted, report.passedOver] == [1, 9_001])
  }

  @Test("a wrong separator, XML and JSON are called what they are, with the option that fits")
  func otherForms() async throws {
    let books = try await Books.small()
    let quoted = "\"datetime\";\"price\";\"type\"\n\"2024-05-02T07:00:00.001Z\";21,5;\"Buy\"\n"
    let separated = try #require(await Self.refusal(books, Self.request(.activities, quoted)))
    #expect(!separated.message.contains("UTF-8"))
    #expect(separated.hint?.contains("--delimiter ';'") == true)
    let bare = try #require(
      await Self.refusal(books, Self.request(.prices, "date;symbol;close\n2024-01-02;ACME;1\n")))
    #expect(bare.hint?.contains("--delimiter ';'") == true)
    #expect(bare.hint?.contains("--decimal-comma") == true)
    let xml = Self.request(.activities, "<FlexQueryResponse a=\"b\">\n</FlexQueryResponse>\n")
    #expect(await Self.refusal(books, xml)?.message == "memory is XML or HTML, not CSV")
    let json = Self.request(.activities, "{\"activities\": []}\n")
    #expect(await Self.refusal(books, json)?.message == "memory is JSON, not CSV")
    let lines = Self.request(.activities, "[\n  {\n    \"type\": \"BUY\"\n  }\n]\n")
    #expect(await Self.refusal(books, lines)?.message == "memory is JSON, not CSV")
    let latin = ImportRequest(
      kind: .prices, source: .bytes(Array("date,symbol,".utf8) + [0xE4, 10]))
    #expect(await Self.refusal(books, latin)?.message.contains("not UTF-8") == true)
  }

  @Test("missing symbols are one list with their currencies and how many rows want them")
  func missingSymbols() async throws {
    let books = try await Books.small()
    let rows = (0..<25).map { "\(10 + $0)-03-2024,NOPE\($0 % 3),YAHOO,EUR,10,1,buy,0,\n" }
      .filter { !$0.hasPrefix("32") && !$0.hasPrefix("33") && !$0.hasPrefix("34") }
    let report = try await books.run(
      Self.request(
        .activities,
        "Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note\n" + rows.joined()
          + "01-02-2024,ACME,YAHOO,USD,10,1,buy,0,\n"
      ) {
        $0.format = .ghostfolio
        $0.constants = ["portfolio": "ALPHA"]
      })
    #expect(report.inserted == 1)
    #expect(report.rowsWithoutInstrument == rows.count)
    #expect(report.missingSymbols.map(\.symbol) == ["NOPE0", "NOPE1", "NOPE2"])
    #expect(report.missingSymbols.map(\.currency) == ["EUR", "EUR", "EUR"])
    #expect(report.missingSymbols.reduce(0) { $0 + $1.rows } == rows.count)
    #expect(report.missingSymbols[1].row == 2 && report.missingSymbols[1].line == 3)
  }

  @Test("a future that comes without a multiplier is remarked upon")
  func futures() async throws {
    let books = try await Books.small()
    let text =
      "symbol,name,kind,currency,multiplier\nIDXH6,Index,future,USD,\nIDXM6,Index,future,USD,50\n"
    let report = try await books.run(Self.request(.instruments, text))
    #expect(
      report.warnings.map(\.description)
        == ["row 1 (line 2): the future IDXH6 comes without a multiplier, and gets 1"])
    let again = try await books.run(Self.request(.instruments, text))
    #expect(!again.warnings.contains { $0.message.contains("multiplier") })
  }

  @Test("a multiplier that a source states is the instrument's, or the row is refused")
  func multipliers() async throws {
    let books = try await Books.small()
    let report = try await books.run(
      Self.request(
        .activities,
        """
        portfolio,date,type,symbol,quantity,price,multiplier
        ALPHA,2024-01-02,buy,CALL,1,2,100
        ALPHA,2024-01-02,buy,CALL,1,2,
        ALPHA,2024-01-02,buy,CALL,1,2,10
        ALPHA,2024-01-02,buy,ACME,1,2,1.0
        """))
    #expect(
      report.refusedRows.map(\.message) == ["the file says 10, the multiplier of CALL is 100"])
    #expect(report.inserted == 3)
  }
}
