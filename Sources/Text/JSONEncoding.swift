extension JSON {
  /// The JSON of a value: members in the order in which they are declared, and what is nil as
  /// `null`, since a member that is there or not is hard to read for a program.
  package init(encoding value: some Encodable) throws {
    let place = Place()
    try place.encode(value)
    self = place.json
  }
}

/// Where a value is put while it is encoded.
///
/// The standard library's own encoders need Foundation, and keep no order.
private final class Place: Encoder {
  private enum Content {
    case empty
    case value(JSON)
    case object(Members)
    case array(Elements)
  }

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]
  private var content = Content.empty

  var json: JSON {
    switch content {
    case .empty: .object([])
    case .value(let json): json
    case .object(let members): .object(members.list.map { ($0.name, $0.value.json) })
    case .array(let elements): .array(elements.list.map(\.json))
    }
  }

  func put(_ json: JSON) { content = .value(json) }

  func encode(_ value: some Encodable) throws { try value.encode(to: self) }

  func members() -> Members {
    if case .object(let members) = content { return members }
    let members = Members()
    content = .object(members)
    return members
  }

  func elements() -> Elements {
    if case .array(let elements) = content { return elements }
    let elements = Elements()
    content = .array(elements)
    return elements
  }

  func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedPlaces(members: members()))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { ListedPlaces(elements: elements()) }

  func singleValueContainer() -> any SingleValueEncodingContainer { SinglePlace(place: self) }
}

/// A member or an element: there already, or still being encoded.
private enum Part {
  case done(JSON)
  case place(Place)

  var json: JSON {
    switch self {
    case .done(let json): json
    case .place(let place): place.json
    }
  }
}

private final class Members {
  var list: [(name: String, value: Part)] = []

  func put(_ json: JSON, for key: some CodingKey) { list.append((key.stringValue, .done(json))) }

  func place(for key: some CodingKey) -> Place {
    let place = Place()
    list.append((key.stringValue, .place(place)))
    return place
  }
}

private final class Elements {
  var list: [Part] = []

  func put(_ json: JSON) { list.append(.done(json)) }

  func next() -> Place {
    let place = Place()
    list.append(.place(place))
    return place
  }
}

private struct SinglePlace: SingleValueEncodingContainer {
  let codingPath: [any CodingKey] = []
  let place: Place

  mutating func encodeNil() { place.put(.null) }
  mutating func encode(_ value: Bool) { place.put(.bool(value)) }
  mutating func encode(_ value: String) { place.put(.string(value)) }
  mutating func encode(_ value: Double) { place.put(.number(value)) }
  mutating func encode(_ value: Float) { place.put(.number(Double(value))) }
  mutating func encode(_ value: Int) { place.put(.integer(value)) }
  mutating func encode(_ value: Int8) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: Int16) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: Int32) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: Int64) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: UInt) throws { try place.putWhole(value) }
  mutating func encode(_ value: UInt8) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: UInt16) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: UInt32) { place.put(.integer(Int(value))) }
  mutating func encode(_ value: UInt64) throws { try place.putWhole(value) }
  mutating func encode<T: Encodable>(_ value: T) throws { try place.encode(value) }
}

extension Place {
  /// A number that may be larger than any of ours.
  fileprivate func putWhole(_ value: some FixedWidthInteger) throws {
    guard let whole = Int(exactly: value) else {
      throw EncodingError.invalidValue(
        value, EncodingError.Context(codingPath: [], debugDescription: "is beyond 64 bits"))
    }
    put(.integer(whole))
  }
}

private struct KeyedPlaces<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let codingPath: [any CodingKey] = []
  let members: Members

  mutating func encodeNil(forKey key: Key) { members.put(.null, for: key) }
  mutating func encode(_ value: Bool, forKey key: Key) { members.put(.bool(value), for: key) }
  mutating func encode(_ value: String, forKey key: Key) { members.put(.string(value), for: key) }
  mutating func encode(_ value: Double, forKey key: Key) { members.put(.number(value), for: key) }
  mutating func encode(_ value: Int, forKey key: Key) { members.put(.integer(value), for: key) }
  mutating func encode(_ value: Int32, forKey key: Key) {
    members.put(.integer(Int(value)), for: key)
  }
  mutating func encode(_ value: Int64, forKey key: Key) {
    members.put(.integer(Int(value)), for: key)
  }
  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try members.place(for: key).encode(value)
  }

  // What is nil is written all the same.
  mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) {
    members.put(value.map { .bool($0) } ?? .null, for: key)
  }
  mutating func encodeIfPresent(_ value: String?, forKey key: Key) {
    members.put(.optional(value), for: key)
  }
  mutating func encodeIfPresent(_ value: Double?, forKey key: Key) {
    members.put(.optional(value), for: key)
  }
  mutating func encodeIfPresent(_ value: Int?, forKey key: Key) {
    members.put(value.map { .integer($0) } ?? .null, for: key)
  }
  mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) {
    members.put(value.map { .integer(Int($0)) } ?? .null, for: key)
  }
  mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) {
    members.put(value.map { .integer(Int($0)) } ?? .null, for: key)
  }
  mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    guard let value else { return encodeNil(forKey: key) }
    try encode(value, forKey: key)
  }

  mutating func nestedContainer<NestedKey>(
    keyedBy keyType: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    members.place(for: key).container(keyedBy: keyType)
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    members.place(for: key).unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { Place() }
  mutating func superEncoder(forKey key: Key) -> any Encoder { members.place(for: key) }
}

private struct ListedPlaces: UnkeyedEncodingContainer {
  let codingPath: [any CodingKey] = []
  let elements: Elements
  var count: Int { elements.list.count }

  mutating func encodeNil() { elements.put(.null) }
  mutating func encode(_ value: String) { elements.put(.string(value)) }
  mutating func encode<T: Encodable>(_ value: T) throws { try elements.next().encode(value) }

  mutating func nestedContainer<NestedKey>(
    keyedBy keyType: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    elements.next().container(keyedBy: keyType)
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    elements.next().unkeyedContainer()
  }

  mutating func superEncoder() -> any Encoder { elements.next() }
}
