import FoundationEssentials
import TestSupport
import Testing

@testable import Import

/// Tells the elements of a document back, as one line of text.
final class ToldDocument: XMLVisitor {
  private(set) var told = ""
  private(set) var elementCount = 0
  private(set) var textLength = 0
  private let keepsAll: Bool

  init(keepsAll: Bool = true) { self.keepsAll = keepsAll }

  func start(_ element: XMLElement, _ reader: XMLReader) {
    elementCount += 1
    if keepsAll { told += "<\(element.name)\(element["a"].map { " \($0)" } ?? "")>" }
  }

  func end(_ name: String, text: String, _ reader: XMLReader) {
    textLength = text.utf8.count
    if keepsAll { told += "\(text)</\(name)>" }
  }
}

/// What documents can do to their readers: bombs, files of others, tags without end, halves.
@Suite("XML is read within limits, and refused by line")
struct XMLReaderTests {
  private static func read(
    _ bytes: [UInt8], pieceSize: Int = 1 << 16, _ document: ToldDocument = ToldDocument()
  ) throws(XMLFailure) -> String {
    let reader = XMLReader(document)
    for start in stride(from: 0, to: bytes.count, by: pieceSize) {
      try feed(reader, bytes[start..<min(start + pieceSize, bytes.count)])
    }
    try feed(reader, [])
    return document.told
  }

  private static func feed(
    _ reader: XMLReader, _ piece: ArraySlice<UInt8>
  ) throws(XMLFailure) {
    let result = piece.withUnsafeBytes { bytes -> Result<Void, XMLFailure> in
      do throws(XMLFailure) {
        return .success(try reader.read(bytes, isLast: piece.isEmpty))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  private static func failure(_ text: String) -> XMLFailure? {
    do throws(XMLFailure) {
      _ = try read(Array(text.utf8))
      return nil
    } catch {
      return error
    }
  }

  @Test("elements, attributes and texts are told as they stand")
  func told() throws {
    let text = """
      <?xml version="1.0"?>
      <!-- a comment -->
      <r a="1 &amp; 2"> <e>x &lt; y<![CDATA[ & z]]></e> <e a='"'/> tail </r>
      """
    #expect(
      try Self.read(Array(text.utf8)) == "<r 1 & 2><e>x < y & z</e><e \"></e>tail</r>")
  }

  @Test("a document type is refused, so no entity is expanded and no file is fetched")
  func entities() {
    let bomb = """
      <!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
      <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><r>&c;</r>
      """
    for text in [
      bomb, "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>", "<!DOCTYPE r><r/>",
      "<!DOCTYPE r [<!ENTITY x SYSTEM \"http://127.0.0.1:1/\">]><r>&x;</r>",
      "<!DOCTYPE r [<!ENTITY % p SYSTEM \"file:///dev/zero\"> %p;]><r/>",
      "<!DOCTYPE r PUBLIC \"-//X\" \"x.dtd\"><r>&nothing;</r>",
    ] {
      let failure = Self.failure(text)
      #expect(failure?.reason.contains("document type") == true, "\(text): \(failure as Any)")
    }
    let undefined = Self.failure("<r>\n&x;</r>")
    #expect(undefined?.line == 2 && undefined?.reason.contains("entity") == true)
  }

  @Test("half a document is an error that names its line, wherever it ends")
  func half() {
    let text = "<r a=\"1\">\n<e>text</e><!-- c -->\n<f/>&amp;<![CDATA[x]]>\n</r>"
    #expect(Self.failure(text) == nil)
    for count in 0..<text.utf8.count {
      let failure = Self.failure(String(text.utf8.prefix(count)) ?? "")
      #expect(failure?.reason == "it ends early" || count == 0, "\(count): \(failure as Any)")
      #expect((failure?.line ?? 0) >= 1)
    }
    #expect(Self.failure("")?.reason == "no element found")
  }

  @Test("broken documents are refused by line, in expat's words")
  func broken() {
    for (text, line) in [
      ("<r>\n</s>", 2), ("<r a='1' a='2'/>", 1), ("<r>\n\n<1/></r>", 3), ("x", 1),
      ("<r/>\n<r/>", 2),
      ("<r>\u{0}</r>", 1), ("<r>\n\u{1}</r>", 2), ("<r a=1/>", 1),
    ] {
      #expect(Self.failure(text)?.line == line, "\(text): \(Self.failure(text) as Any)")
    }
  }

  @Test("a failure names the innermost element that is open, and the way out")
  func place() {
    for (text, element, reason) in [
      ("<r><a></a><b>\n</r>", "b", "mismatched tag"), ("<r><a><b/>", "a", "it ends early"),
      ("x", nil, "syntax error"), ("<r><a/>&x;</r>", "r", "it refers to an entity"),
      ("<r><a b='<'/></r>", "r", "not well-formed"),
    ] {
      let failure = Self.failure(text)
      #expect(failure?.element == element, "\(text): \(failure as Any)")
      #expect(failure?.reason.hasPrefix(reason) == true, "\(text): \(failure as Any)")
      #expect(failure?.hint.isEmpty == false)
    }
    for text: [UInt8] in [Array("<r><a>M".utf8) + [0xFC] + Array("ller</a></r>".utf8)] {
      do throws(XMLFailure) {
        _ = try Self.read(text)
        Issue.record("it was read")
      } catch {
        #expect(error.element == "a" && error.hint.contains("iconv -f latin1"), "\(error)")
      }
    }
  }

  @Test("headers of CSV files that stand in brackets are no tags")
  func looksLikeXML() {
    func isTaken(_ text: String, _ delimiter: Character = ",") -> Bool {
      isXML(Array(text.utf8)[...], delimiter: delimiter.asciiValue ?? 0)
    }
    for text in [
      "<client>\n  <version>", "<client id=\"1\">", "\u{FEFF}<?xml version='1.0'?>",
      " \n<!-- x -->",
      "<r/>", "<r", "<FlexQueryResponse queryName=\"a\" type=\"AF\">",
    ] {
      #expect(isTaken(text), "\(text)")
    }
    var wide: [UInt8] = [0xFF, 0xFE]
    for unit in "<?xml version='1.0'?>".utf16 { wide += [UInt8(unit), 0] }
    #expect(isXML(wide[...], delimiter: 44))
    for text in ["<TICKER>,<PER>,<DATE>\nA,D,20240101", "<DATE>\n20240101", "date,<x a='1'>", ""] {
      #expect(!isTaken(text), "\(text)")
    }
    #expect(!isTaken("<TICKER>\t<DATE>\n", "\t"))
    #expect(!isTaken("<TICKER>;<DATE>\n", ";"))
  }

  @Test("UTF-8, UTF-16 and ISO-8859-1 are read as a document says; others are refused by name")
  func encodings() throws {
    let text = "<r a=\"é\">ü€</r>"
    #expect(try Self.read([0xEF, 0xBB, 0xBF] + Array(text.utf8)) == "<r é>ü€</r>")
    let units = Array(text.utf16)
    #expect(
      try Self.read([0xFF, 0xFE] + units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        == "<r é>ü€</r>")
    #expect(
      try Self.read([0xFE, 0xFF] + units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        == "<r é>ü€</r>")
    let latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r>"
    #expect(
      try Self.read(Array(latin.utf8) + [0xFC, 0x80] + Array("</r>".utf8)) == "<r>ü\u{80}</r>")
    #expect(
      Self.failure("<?xml version='1.0' encoding='KOI8-R'?><r/>")?.reason.contains("UTF-16") == true
    )
    // Latin-1 that says it is UTF-8, and UTF-8 that says it is UTF-16.
    #expect(throws: XMLFailure.self) {
      try Self.read(Array("<r>".utf8) + [0xFC] + Array("</r>".utf8))
    }
    #expect(throws: XMLFailure.self) {
      try Self.read(Array("<?xml version='1.0' encoding='UTF-16'?><r/>".utf8))
    }
  }

  @Test("nesting and attributes have limits")
  func limits() {
    let limit = XMLReader.depthLimit
    func nested(_ depth: Int) -> String {
      String(repeating: "<e>", count: depth) + String(repeating: "</e>", count: depth)
    }
    #expect(Self.failure(nested(limit)) == nil)
    #expect(Self.failure(nested(limit + 1))?.reason.contains("nested") == true)
    func wide(_ count: Int) -> String {
      "<e " + (0..<count).map { "a\($0)=''" }.joined(separator: " ") + "/>"
    }
    #expect(Self.failure(wide(XMLReader.attributeLimit)) == nil)
    #expect(Self.failure(wide(XMLReader.attributeLimit + 1))?.reason.contains("attributes") == true)
  }

  /// Feeds a document that is made as it is read.
  ///
  /// - Returns: How many bytes were taken before it was refused; nil if it never was.
  private static func feed(
    _ document: ToldDocument, beginning: String, repeating piece: [UInt8], times: Int
  ) -> Int? {
    let reader = XMLReader(document)
    do throws(XMLFailure) {
      try feed(reader, Array(beginning.utf8)[...])
      for count in 0..<times {
        do throws(XMLFailure) { try feed(reader, piece[...]) } catch { return count * piece.count }
      }
    } catch { return 0 }
    return nil
  }

  @Test("a gigabyte of attributes, of a comment or of a name is refused after a megabyte or two")
  func endless() throws {
    let attributes = Array(String(repeating: "a='xxxxxxxxxxxxxxxxxxxxxxxxxxx' ", count: 2_000).utf8)
    let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
    for (beginning, piece) in [
      ("<r><e ", attributes), ("<r><e a='", filler), ("<r><!-- ", filler), ("<r", filler),
      ("<?p ", filler), ("<!-- ", filler), ("<r></", filler),
    ] {
      let taken = Self.feed(
        ToldDocument(keepsAll: false), beginning: beginning, repeating: piece,
        times: (1 << 30) / piece.count)
      #expect((taken ?? .max) <= 2 * XMLReader.tagLimit, "\(beginning): \(taken as Any)")
    }
  }

  @Test("a text without end takes no memory: what no field may have is not kept")
  func longText() {
    let document = ToldDocument(keepsAll: false)
    let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
    for beginning in ["<r>", "<r><![CDATA["] {
      #expect(
        Self.feed(document, beginning: beginning, repeating: filler, times: 1_600) == nil)
    }
    let end = Array("<e>".utf8) + filler + filler + Array("</e>".utf8)
    #expect(throws: Never.self) { try Self.read(end, document) }
    #expect(document.textLength == XMLReader.textLimit)
  }

  // MARK: any bytes

  private static let executions: Int =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_FUZZ"].flatMap { Int($0) }
    .map { $0 * 1_000_000 } ?? 20_000

  private static let pieces = [
    "<client>", "</client>", "<version>69</version>", "<security>", "<security id='1'>",
    "</security>", "<security reference='../../security[2]'/>", "<security reference='1'/>",
    "<account-transaction>", "</account-transaction>", "<portfolio-transaction>",
    "</portfolio-transaction>", "<transactionFrom>", "</transactionFrom>",
    "<crossEntry class='account-transfer'>", "<crossEntry class='buysell' reference='../..'/>",
    "<crossEntry reference='../../../..'/>", "</crossEntry>", "<date reference='../../../date'/>",
    "<date>2024-01-02T00:00</date>", "<units>", "</units>", "<unit type='FEE'>", "</unit>",
    "<amount currency='EUR' amount='9223372036854775807'/>", "<amount>9999999999999999</amount>",
    "<forex currency='USD' amount='1'/>", "<uuid>u</uuid>", "<type>BUY</type>",
    "<type>TRANSFER_OUT</type>", "<type>DIVIDENDS</type>", "<type>DELIVERY_INBOUND</type>",
    "<shares>9223372036854775807</shares>", "<shares>1</shares>",
    "<currencyCode>EUR</currencyCode>", "<tickerSymbol>T</tickerSymbol>", "<prices>", "</prices>",
    "<price t='2024-01-02' v='-9223372036854775808'/>", "<price t='2024-01-02' v='1'/>",
    "<FlexQueryResponse>", "</FlexQueryResponse>", "<Trades>", "</Trades>", "<Order/>",
    "<Trade symbol='A' currency='USD' quantity='1' tradePrice='1' ibCommission='0' buySell='BUY'/>",
    "<Trade symbol='A' currency='USD' assetCategory='BOND' quantity='-1e9' tradePrice='.'/>",
    "<CashTransaction type='Dividends' amount='-1' currency='EUR' transactionID='1'/>",
    "<Transfer quantity='999999999999999999' transactionID='1' symbol='A'/>", "<CorporateAction/>",
    "<ConversionRate rate='x'/>", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE x>",
    "\u{0}", "é", " ", "x",
  ].map { Array($0.utf8) }

  private static func anyDocument(_ random: inout SeededGenerator) -> any ExportDocument {
    let kinds: [ImportKind] = [.activities, .instruments, .prices, .fxRates]
    while true {
      let kind = kinds[Int(random.next() % UInt64(kinds.count))]
      let made: (any ExportDocument)? =
        random.next() % 2 == 0
        ? FlexDocument(kind, portfolio: nil)
        : ClientDocument(kind, portfolio: "P", instrumentKind: nil)
      if let made { return made }
    }
  }

  /// The rows of a document, and whether it was read to its end.
  private static func rows(
    _ bytes: [UInt8], _ document: any ExportDocument, _ pieceSize: Int
  ) throws -> ([String], Bool) {
    var reader = DocumentReader(
      try ByteSource(.bytes(bytes)), as: document, pieceSize: pieceSize)
    var rows: [String] = []
    var covered = 0
    do {
      while try reader.next() {
        rows.append(
          "\(reader.line) \(reader.offset) \(String(decoding: reader.rowText, as: UTF8.self))")
        precondition(reader.offset >= covered && reader.offset <= bytes.count)
        precondition(reader.row.lines.allSatisfy { $0.count == document.columns.count })
        covered = reader.offset
      }
    } catch {
      return (rows, false)
    }
    precondition(reader.offset == bytes.count, "nothing is left over")
    return (rows, true)
  }

  @Test(
    "any document gives the same rows in pieces of any size, or is refused, and ends no process"
  )
  func fuzz() throws {
    var random = SeededGenerator(seed: 13)
    let roots = ["<client><version>69</version>", "<FlexQueryResponse>"].map { Array($0.utf8) }
    for _ in 0..<Self.executions {
      var bytes = random.next() % 8 == 0 ? [] : roots[Int(random.next() % 2)]
      for _ in 0..<random.next() % 24 {
        bytes += Self.pieces[Int(random.next() % UInt64(Self.pieces.count))]
      }
      if random.next() % 3 == 0 { bytes += Array("</client>".utf8) }
      let seed = random.next()
      var (first, second) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
      let whole = try Self.rows(bytes, Self.anyDocument(&first), 1 << 16)
      let split = try Self.rows(
        bytes, Self.anyDocument(&second), 1 + Int(random.next() % 9))
      guard whole == split else {
        Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(whole) \(split)")
        return
      }
    }
  }

  @Test("reading on from any row gives the same rows and the same digest; another file is told")
  func checkpoints() throws {
    let source = ExportDocumentTests.sample("portfolio-performance/client.xml")
    func reader(_ source: ImportSource, _ size: Int) throws -> DocumentReader {
      DocumentReader(
        try ByteSource(source),
        as: try #require(ClientDocument(.activities, portfolio: "P", instrumentKind: nil)),
        pieceSize: size)
    }
    var whole = try reader(source, 1 << 16)
    var checkpoints: [Checkpoint] = []
    var texts: [[UInt8]] = []
    while try whole.next() {
      texts.append(Array(whole.rowText))
      checkpoints.append(
        Checkpoint(
          offset: whole.offset, row: texts.count, line: whole.line, digest: whole.digest()))
    }
    let digest = whole.digest()
    for checkpoint in checkpoints {
      var rest = try reader(source, 100)
      try rest.skip(to: checkpoint)
      var left: [[UInt8]] = []
      while try rest.next() { left.append(Array(rest.rowText)) }
      #expect(left == Array(texts.dropFirst(checkpoint.row)))
      #expect(rest.digest() == digest)
    }
    var another = try reader(
      ExportDocumentTests.sample("portfolio-performance/client-with-ids.xml"), 100)
    #expect(throws: ImportError.self) { try another.skip(to: checkpoints[3]) }
  }
}
