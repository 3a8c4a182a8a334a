internal import CExpat
internal import Glibc

/// Who is told what an XML document says, in its order.
protocol XMLVisitor: AnyObject {
  /// An element begins.
  func start(_ element: XMLElement, _ reader: XMLReader)
  /// An element ends; `text` is what stood in it after its last child, without space around it.
  func end(_ name: String, text: String, _ reader: XMLReader)
}

/// Why a document cannot be read on; what came before it was told.
struct XMLFailure: Error, Equatable {
  /// The line at fault; the first is 1.
  var line: Int
  /// The innermost element that is open there.
  var element: String?
  var reason: String
  var hint: String
}

/// Reads an XML document piece by piece (expat), in memory that its longest tag bounds.
///
/// What a document could do to its reader is off: it may not declare a document type, so there are
/// no entities to be expanded and no files to be fetched; a tag, the tags' nesting and a text that
/// is kept have limits. UTF-8, UTF-16 and ISO 8859-1 are read as the document says they are.
final class XMLReader {
  /// The most bytes of one tag or comment.
  static let tagLimit = 1 << 20
  /// The most attributes of one element.
  static let attributeLimit = 1_000
  /// How deep elements may be nested.
  static let depthLimit = 2_000
  /// How many bytes of a text are kept: more than any field of the books may have.
  static let textLimit = 1 << 14

  private let parser: XML_Parser
  private unowned let visitor: any XMLVisitor
  private var text: [UInt8] = []
  /// The names of the elements that are open.
  private var open: [String] = []
  private var byteCount = 0
  private var refusal: XMLFailure?

  /// A reader of a document that tells somebody who outlives it.
  init(_ visitor: any XMLVisitor) {
    guard let parser = XML_ParserCreate(nil) else { fatalError("no memory for an XML parser") }
    self.parser = parser
    self.visitor = visitor
    XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    XML_SetElementHandler(
      parser, { XMLReader.from($0).start($1, $2) }, { reader, _ in XMLReader.from(reader).end() })
    XML_SetCharacterDataHandler(parser) { XMLReader.from($0).characters($1, Int($2)) }
    XML_SetStartDoctypeDeclHandler(parser) { reader, _, _, _, _ in
      XMLReader.from(reader).refuse(
        "it declares a document type (<!DOCTYPE>), by which entities and other files come in",
        hint: "no export has one; if you trust the file, take the declaration out")
    }
  }

  deinit { XML_ParserFree(parser) }

  private static func from(_ context: UnsafeMutableRawPointer?) -> XMLReader {
    guard let context else { fatalError("expat lost its reader") }
    return Unmanaged<XMLReader>.fromOpaque(context).takeUnretainedValue()
  }

  /// Where the tag ends that is told of: its line, and how many bytes of the document are before.
  var place: (line: Int, end: Int) {
    (
      Int(XML_GetCurrentLineNumber(parser)),
      Int(XML_GetCurrentByteIndex(parser)) + Int(XML_GetCurrentByteCount(parser))
    )
  }

  /// Reads a piece; the last one may be empty.
  ///
  /// - Throws: `XMLFailure` where the document breaks a rule or a limit, or is not whole.
  func read(_ piece: UnsafeRawBufferPointer, isLast: Bool) throws(XMLFailure) {
    byteCount += piece.count
    let bytes = piece.baseAddress?.assumingMemoryBound(to: CChar.self)
    let status = XML_Parse(parser, bytes, Int32(piece.count), isLast ? 1 : 0)
    if let refusal { throw refusal }
    guard status == XML_STATUS_OK else { throw brokenRule(in: piece) }
    guard byteCount - max(0, Int(XML_GetCurrentByteIndex(parser))) <= Self.tagLimit else {
      throw failure(
        "a tag or comment is longer than \(Self.tagLimit) bytes",
        hint: "the file is damaged, or no export")
    }
  }

  /// Reads no further: the document is not what somebody takes it for.
  func refuse(_ reason: String, hint: String) {
    guard refusal == nil else { return }
    refusal = failure(reason, hint: hint)
    XML_StopParser(parser, 0)
  }

  private func failure(_ reason: String, hint: String) -> XMLFailure {
    XMLFailure(
      line: place.line, element: open.last.map { String($0.prefix(60)) }, reason: reason, hint: hint
    )
  }

  private func brokenRule(in piece: UnsafeRawBufferPointer) -> XMLFailure {
    switch XML_GetErrorCode(parser) {
    case XML_ERROR_NO_ELEMENTS where byteCount > 0, XML_ERROR_UNCLOSED_TOKEN,
      XML_ERROR_UNCLOSED_CDATA_SECTION, XML_ERROR_PARTIAL_CHAR:
      return failure("it ends early", hint: "fetch the file again; it is not whole")
    case XML_ERROR_UNKNOWN_ENCODING:
      return failure(
        "its encoding is none of UTF-8, UTF-16 and ISO-8859-1",
        hint: "convert it with iconv -t utf8, and correct the encoding that its first line names")
    case XML_ERROR_INVALID_TOKEN where isNoText(piece):
      return failure(
        "a byte is no text in the encoding that the file has or says",
        hint: "from Latin-1: iconv -f latin1 -t utf8")
    case XML_ERROR_UNDEFINED_ENTITY:
      return failure(
        "it refers to an entity that XML does not have",
        hint: "entities are not read: &amp; &lt; &gt; &quot; &apos; and numbers alone")
    case let code:
      let words = XML_ErrorString(code).map { String(cString: $0) } ?? "unknown error"
      return failure(words, hint: "export the file again, and do not edit it by hand")
    }
  }

  /// Whether what is at fault is a byte that is none of UTF-8.
  private func isNoText(_ piece: UnsafeRawBufferPointer) -> Bool {
    let index = Int(XML_GetCurrentByteIndex(parser)) - (byteCount - piece.count)
    guard piece.indices.contains(index), piece[index] >= 0x80 else { return false }
    let count = (~piece[index]).leadingZeroBitCount
    return String(validating: piece[index...].prefix(count), as: UTF8.self) == nil
  }

  private func start(
    _ name: UnsafePointer<XML_Char>?, _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
  ) {
    // Expat may tell of what it had begun when it was stopped.
    guard refusal == nil, let name, let attributes else { return }
    guard open.count < Self.depthLimit else {
      return refuse(
        "elements are nested more than \(Self.depthLimit) deep", hint: "the file is no export")
    }
    guard XML_GetSpecifiedAttributeCount(parser) <= 2 * Self.attributeLimit else {
      return refuse(
        "an element has more than \(Self.attributeLimit) attributes", hint: "the file is no export")
    }
    text.removeAll(keepingCapacity: true)
    let element = XMLElement(name: String(cString: name), attributes: attributes)
    visitor.start(element, self)
    open.append(element.name)
  }

  private func end() {
    // Expat has seen to it that it is the innermost one that ends.
    guard refusal == nil, let name = open.popLast() else { return }
    visitor.end(name, text: trimmedText, self)
    text.removeAll(keepingCapacity: true)
  }

  private func characters(_ characters: UnsafePointer<XML_Char>?, _ count: Int) {
    guard let characters else { return }
    let kept = min(count, Self.textLimit - text.count)
    guard kept > 0 else { return }
    characters.withMemoryRebound(to: UInt8.self, capacity: kept) {
      text.append(contentsOf: UnsafeBufferPointer(start: $0, count: kept))
    }
  }

  private var trimmedText: String {
    var rest = text[...]
    while let first = rest.first, first <= UInt8(ascii: " ") { rest.removeFirst() }
    while let last = rest.last, last <= UInt8(ascii: " ") { rest.removeLast() }
    return String(decoding: rest, as: UTF8.self)
  }
}

/// An element that begins; valid only during the call that tells of it.
struct XMLElement {
  let name: String
  /// Names and values in turn, and nil after the last.
  fileprivate let attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>

  /// The value of an attribute; nil where the element has none of the name.
  subscript(_ name: String) -> String? {
    name.withCString { wanted in
      var next = attributes
      while let key = next[0], let value = next[1] {
        if strcmp(key, wanted) == 0 { return String(cString: value) }
        next += 2
      }
      return nil
    }
  }
}
