/// Text that is the same only where its bytes are, as PostgreSQL has it: for codes, symbols, ids,
/// and whatever else of files, arguments and tables is compared with what is stored.
///
/// Two strings of Swift are equal where Unicode calls them canonically equivalent: é in one code
/// point and e with an accent behind it. To the database those are two texts, and two rows.
public struct ExactText: Hashable, Sendable, CustomStringConvertible {
  /// The text.
  public let description: String

  /// A text as it stands.
  public init(_ text: String) { description = text }

  /// Whether both have the same bytes.
  public static func == (one: ExactText, other: ExactText) -> Bool {
    one.description.utf8.elementsEqual(other.description.utf8)
  }

  /// The bytes, and their end.
  public func hash(into hasher: inout Hasher) {
    let isDone: Void? = description.utf8.withContiguousStorageIfAvailable { bytes in
      hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    }
    if isDone == nil { for byte in description.utf8 { hasher.combine(byte) } }
    hasher.combine(0xFF as UInt8)
  }
}

extension ExactText: ExpressibleByStringLiteral {
  /// A text of the program's own.
  public init(stringLiteral text: String) { description = text }
}

extension String {
  /// Whether both have the same bytes: what `==` would be, were it the database's.
  public func isExactly(_ other: String) -> Bool { ExactText(self) == ExactText(other) }

  /// The first code point that nobody sees, or that changes how its neighbours are shown.
  ///
  /// Control characters, marks of direction, and what has no width: one would tell two keys apart
  /// that look the same, or make one look like another.
  public var firstUnseenCharacter: Unicode.Scalar? {
    unicodeScalars.first { scalar in
      // Letters of most scripts, without a look at the tables of Unicode.
      if (0x20..<0x7F).contains(scalar.value) || (0xC0..<0x300).contains(scalar.value) {
        return false
      }
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: return true
      default: break
      }
      return scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isBidiControl
        || (0xFFF9...0xFFFB).contains(scalar.value)
    }
  }
}

extension Unicode.Scalar {
  /// As Unicode writes it: `U+202E`.
  public var codePoint: String {
    let digits = String(value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
