import Accounting
import Import
import TestSupport
import Testing

/// One letter with an accent in one code point, and in two.
private let (composed, decomposed) = ("CAF\u{C9}", "CAFE\u{301}")

@Suite("Text is the same where its bytes are, to the program as to the database")
struct ExactTextTests {
  @Test("equality and hashes go by bytes")
  func bytes() {
    #expect(composed == decomposed)
    #expect(ExactText(composed) != ExactText(decomposed))
    #expect(Set([ExactText(composed), ExactText(decomposed), ExactText(composed)]).count == 2)
    #expect(!composed.isExactly(decomposed) && composed.isExactly("CAF\u{C9}"))
    #expect(!"\u{212A}".isExactly("K"))
  }

  @Test("codes, symbols and ids that differ in form only are kept apart, each with its own rows")
  func keptApart() async throws {
    let books = try await Books.empty()
    let instruments = try await books.mustImport(
      .instruments,
      "symbol,name,kind,currency\n\(composed),One,equity,USD\n\(decomposed),Two,equity,EUR\n")
    #expect(instruments.inserted == 2 && instruments.replaced == 0)
    let portfolios = try await books.mustImport(
      .portfolios,
      """
      code,name,base_currency,inception_date
      \(decomposed),Two,EUR,2020-01-01
      \(composed),One,USD,2020-01-01

      """)
    #expect(portfolios.inserted == 2 && portfolios.replaced == 0)
    let activities = try await books.mustImport(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,price,amount
      \(composed),\(composed),2020-01-02,deposit,,,,1000
      \(decomposed),\(decomposed),2020-01-02,deposit,,,,5000
      B1,\(composed),2020-01-03,buy,\(composed),1,10,
      B2,\(decomposed)#1,2020-01-03,buy,\(decomposed),2,10,

      """)
    #expect(activities.inserted == 4 && activities.replaced == 0)
    try await books.mustImport(
      .prices,
      "date,symbol,close,currency\n2020-01-03,\(composed),11,USD\n2020-01-03,\(decomposed),12,EUR\n"
    )
    let rows = try await books.texts(
      """
      select p.name, i.name as holds, a.amount, a.currency from closebell.holding_activity_log a
      join closebell.portfolios p on p.id = a.portfolio_id
      left join closebell.portfolio_funds f on f.id = a.portfolio_fund_id
      left join closebell.instruments i on i.id = f.instrument_id order by a.id
      """)
    #expect(
      rows == [
        "(One,,1000.0000,USD)", "(Two,,5000.0000,EUR)", "(One,One,,USD)", "(Two,Two,,EUR)",
      ])
    let closes = try await books.texts(
      """
      select i.name, trim_scale(p.close) from closebell.prices p
      join closebell.instruments i on i.id = p.instrument_id order by 1
      """)
    #expect(closes == ["(One,11)", "(Two,12)"])
    #expect(
      try await books.importing(
        .activities,
        "id,portfolio,date,type,amount\nB3,CAFE,2020-01-02,deposit,1\n"
      ).refused == 1)
  }

  @Test("a header is mapped by its bytes, and two forms of one are two")
  func headers() async throws {
    let books = try await Books.small()
    let report = try await books.run(
      ImportRequest(
        kind: .prices,
        source: .bytes(
          Array("date,symbol,\(composed),\(decomposed)\n2020-01-02,ACME,7,USD\n".utf8)),
        columnMap: [ExactText(composed): "close", ExactText(decomposed): "currency"]))
    #expect(report.inserted == 1)
  }

  @Test("series of flows are told apart by their bytes")
  func series() throws {
    let text = "series,date,amount\n\(composed),2020-01-01,-1\n\(decomposed),2020-01-01,-2\n"
    let flows = try FlowFile(.bytes(Array(text.utf8)))
    #expect(flows.names.map { Array($0.utf8) } == [Array(composed.utf8), Array(decomposed.utf8)])
    #expect(flows.amounts == [-1, -2])
  }

  static let unseen: [UInt32] = [
    0x01, 0x1B, 0x7F, 0x85, 0x9B, 0x00AD, 0x061C, 0x200B, 0x200D, 0x200E, 0x200F, 0x2028, 0x202A,
    0x202E, 0x2060, 0x2066, 0x2069, 0xFE0F, 0xFEFF, 0xE0041,
  ]

  @Test(
    "a character that nobody sees is refused in codes, symbols and ids, by row, field and number",
    arguments: unseen)
  func unseenCharacters(_ value: UInt32) async throws {
    let scalar = try #require(Unicode.Scalar(value))
    let word = "AB\(Character(scalar))C"
    let books = try await Books.small()
    let files: [(ImportKind, String, String)] = [
      (
        .portfolios,
        "code,name,base_currency,inception_date\nFINE,x,USD,2020-01-01\n"
          + "\(word),x,USD,2020-01-01\n", "code"
      ),
      (
        .instruments, "symbol,name,kind,currency\nFINE,x,equity,USD\n\(word),x,equity,USD\n",
        "symbol"
      ),
      (
        .activities,
        "id,portfolio,date,type,amount\nFINE,ALPHA,2020-01-02,deposit,1\n"
          + "\(word),ALPHA,2020-01-02,deposit,1\n", "id"
      ),
      (.prices, "date,symbol,close\n2020-01-02,ACME,1\n2020-01-02,\(word),1\n", "symbol"),
    ]
    for (kind, text, field) in files {
      let report = try await books.importing(kind, text)
      #expect(report.inserted == 1, "\(kind)")
      #expect(report.refusedRows.map(\.row) == [2], "\(kind)")
      #expect(report.refusedRows.map(\.field) == [field], "\(kind)")
      let message = report.refusedRows.first?.message ?? ""
      #expect(message.contains(scalar.codePoint), "\(message)")
      #expect(!message.unicodeScalars.contains(scalar), "the message can be shown")
    }
  }

  @Test("letters of every script, marks and signs are let through")
  func seen() {
    for word in [composed, decomposed, "日本株", "Ελλάς", "ACME-A/B.1", "नमस्ते", "שלום", "₿", "😀"] {
      #expect(word.firstUnseenCharacter == nil, "\(word)")
    }
  }
}
