/// Which of several exit codes speaks for all of them.
package enum Severity {
  /// From the mildest on: done; rows refused; somebody else at it; not done; usage; configuration;
  /// out of reach; failed; interrupted.
  private static let order: [Int32] = [0, 65, 75, 1, 64, 78, 69, 2, 130]

  /// The worse one of two.
  package static func worse(_ one: Int32, _ other: Int32) -> Int32 {
    func rank(_ code: Int32) -> Int { order.firstIndex(of: code) ?? order.count }
    return rank(other) > rank(one) ? other : one
  }

  /// Whether what ended with a code would meet whatever comes next as well.
  package static func concernsEverything(_ code: Int32) -> Bool { [69, 78, 130].contains(code) }
}
