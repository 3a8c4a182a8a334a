internal import CLibPQ

/// The environment of this process, read once.
package enum ProcessEnvironment {
  /// Every variable that is set and not empty, by its name; of two with one name the first, as
  /// `getenv` has it.
  ///
  /// The value is nil where its bytes are no UTF-8.
  package static let variables: [String: String?] = {
    var variables: [String: String?] = [:]
    var number = 0
    while let entry = pq_environment_entry(number) {
      number += 1
      let bytes = UnsafeBufferPointer(start: entry, count: length(entry))
        .map { UInt8(bitPattern: $0) }
      guard let cut = bytes.firstIndex(of: UInt8(ascii: "=")), cut + 1 < bytes.count else {
        continue
      }
      let name = String(decoding: bytes[..<cut], as: UTF8.self)
      guard variables[name] == nil else { continue }
      variables.updateValue(
        String(validating: bytes[(cut + 1)...], as: UTF8.self), forKey: name)
    }
    return variables
  }()

  private static func length(_ text: UnsafePointer<CChar>) -> Int {
    var length = 0
    while text[length] != 0 { length += 1 }
    return length
  }
}

/// The value of an environment variable.
func environment(_ name: String) -> String? {
  pq_environment(name).map { String(cString: $0) }
}
