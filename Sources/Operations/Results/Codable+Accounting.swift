package import Accounting

// How the books' values stand in JSON: money with four decimals and other exact numbers without
// needless zeros, both as strings, so that no reader rounds them; dates as YYYY-MM-DD.

/// A value that is one string in JSON.
protocol TextCodable: Codable {
  /// The text; nil where it is none of this type.
  init?(coded text: String)
  var coded: String { get }
}

extension TextCodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(coded: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is no \(Self.self)")
    }
    self = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(coded)
  }
}

extension Money: TextCodable {
  init?(coded text: String) {
    guard let value = try? Money(text) else { return nil }
    self = value
  }

  var coded: String { description }
}

extension Quantity: TextCodable {
  init?(coded text: String) {
    guard let value = try? Quantity(text) else { return nil }
    self = value
  }

  var coded: String { text(minimumDecimals: 0) }
}

extension Price: TextCodable {
  init?(coded text: String) {
    guard let value = try? Price(text) else { return nil }
    self = value
  }

  var coded: String { text(minimumDecimals: 0) }
}

extension Day: TextCodable {
  init?(coded text: String) { self.init(text) }

  var coded: String { description }
}
