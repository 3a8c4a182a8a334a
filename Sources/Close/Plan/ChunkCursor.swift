/// Walks through portfolios range by range and hands them out in chunks; what is read ahead is at
/// most one range.
struct ChunkCursor<Element: Sendable>: Sendable {
  /// The last portfolio id that was read; nil when there is no more.
  private var last: Int64? = 0
  /// Chunks of the range read last, the next one last.
  private var chunks: [[Element]] = []

  /// The next chunk, or nil where none is left.
  ///
  /// - Parameter read: The chunks of the portfolios after an id, and the last of these; a nil last
  ///   ends the walk. Where it throws, the same range is asked for again.
  mutating func next(
    reading read: (Int64) throws -> (chunks: [[Element]], last: Int64?)
  ) rethrows -> [Element]? {
    while chunks.isEmpty {
      guard let after = last else { return nil }
      let range = try read(after)
      chunks = range.chunks.reversed()
      last = range.last
    }
    return chunks.removeLast()
  }
}

/// How much a chunk may hold, in slots of some ten holdings.
enum ChunkBudget {
  /// What a chunk holds at a time, unless one portfolio alone has more.
  static func slots(of settings: RunSettings) -> Int { settings.chunk * 4 }

  /// What a portfolio's history takes, if it is read: rows, and the flows that are made of them.
  static func slots(ofHistory activities: Int?) -> Int { (activities ?? 0) / 16 }
}

extension Array {
  /// The elements in their order, in chunks of at most `limit` together; one that is larger than
  /// that stands alone.
  func cut(at limit: Int, size: (Element) -> Int) -> [[Element]] {
    var chunks: [[Element]] = []
    var current: [Element] = []
    var total = 0
    for element in self {
      let size = size(element)
      if !current.isEmpty, total + size > limit {
        chunks.append(current)
        current = []
        total = 0
      }
      current.append(element)
      total += size
    }
    if !current.isEmpty { chunks.append(current) }
    return chunks
  }
}
