/// What was read of one column: how far its values reach, and where the sequence stood then.
///
/// Both come from one statement. Its snapshot is taken before it reads anything, and a sequence is
/// read as it stands at that moment; so every value that the snapshot shows was drawn before the
/// sequence was read, and a busy table is never taken for an unhealthy one. The other way round, a
/// value drawn in between would look as if it lay beyond the sequence.
public struct SequenceReading: Sendable {
  /// How much of the table was looked at.
  public enum Coverage: Hashable, Sendable {
    /// All of it, by an index or row by row.
    case whole
    /// No index leads with the column: the newest pages only, of so many.
    case newest(pages: Int64)
    /// Nothing, and why.
    case none(String)
  }

  /// The largest value, or the least where the sequence counts down; nil where there is none.
  public var extreme: Int64?
  /// How much of the table was looked at.
  public var coverage: Coverage
  /// The sequence's `last_value`; nil where it could not be read.
  public var last: Int64?
  /// Whether `last` was given out already.
  public var isCalled: Bool

  /// What was read.
  public init(extreme: Int64?, coverage: Coverage, last: Int64?, isCalled: Bool) {
    self.extreme = extreme
    self.coverage = coverage
    self.last = last
    self.isCalled = isCalled
  }

  /// Nothing could be read.
  static func unread(_ reason: String) -> SequenceReading {
    SequenceReading(extreme: nil, coverage: .none(reason), last: nil, isCalled: false)
  }
}

/// Whether a sequence gives values that are free, and for how long.
///
/// The rule: `next = is_called ? last_value + increment : last_value`, and a sequence is healthy
/// if every column that it fills has its largest value below `next` (its least above, where the
/// increment is negative). That `last_value` equals the largest value is the normal state.
public struct SequenceHealth: Sendable {
  /// What is to be said of a sequence; the worst first.
  public enum State: String, Sendable, CaseIterable {
    /// A value that it is going to give is taken.
    case behind
    /// Values lie where it never comes: its end is before them.
    case beyondRange = "beyond range"
    /// It has no value left that the columns hold.
    case exhausted
    /// Some column could not be looked at.
    case unchecked
    /// All values lie behind it.
    case healthy
  }

  /// How bad it is: by how many values a sequence is behind, over 10 and over 100.
  public enum Severity: String, Sendable {
    /// Nothing to do.
    case none
    /// At most 10, or more than 80 % of its range is used up.
    case low
    /// Over 10.
    case medium
    /// Over 100, or nothing is left.
    case high
  }

  /// The sequence.
  public let sequence: CataloguedSequence
  /// What was read, in the order of the sequence's columns; one reading where it has none.
  public let readings: [SequenceReading]
  /// What is to be said of it.
  public let state: State
  /// The value that it gives next, or would if its range allowed; nil where it was not read.
  public let next: Int128?
  /// By how many values it is behind; 0 where it is not.
  public let gap: Int128
  /// The share of its range, or of the narrowest column's, that is used up: 0 to 1.
  public let used: Double
  /// The column that reaches farthest; nil where none holds a value.
  public let farthest: Int?

  /// Judges a sequence by what was read.
  public init(_ sequence: CataloguedSequence, _ readings: [SequenceReading]) {
    self.sequence = sequence
    self.readings = readings
    let down = sequence.increment < 0
    let nexts = readings.map { Self.next(sequence, $0) }
    next = nexts.compactMap(\.self).max { down ? $0 > $1 : $0 < $1 }
    // Each column is judged by the state of the sequence that was read with it.
    let gaps = zip(readings, nexts).map { reading, next -> Int128 in
      guard let extreme = reading.extreme, let next else { return 0 }
      return max(0, (down ? next - Int128(extreme) : Int128(extreme) - next) + 1)
    }
    gap = gaps.max() ?? 0
    farthest = readings.indices.filter { readings[$0].extreme != nil }.max { one, other in
      let (left, right) = (readings[one].extreme ?? 0, readings[other].extreme ?? 0)
      return down ? left > right : left < right
    }
    used = Self.used(sequence, next)
    let isBeyond = readings.contains { reading in
      reading.extreme.map { down ? $0 < sequence.minimum : $0 > sequence.maximum } ?? false
    }
    let isUnread = readings.contains { if case .none = $0.coverage { true } else { false } }
    state =
      if gap > 0 {
        isBeyond ? .beyondRange : .behind
      } else if let next, !sequence.range.contains(clamping: next) {
        .exhausted
      } else {
        isUnread ? .unchecked : .healthy
      }
  }

  /// Whether it is going to fail an insert, or would have if the range reached as far.
  public var isUnhealthy: Bool { state != .healthy && state != .unchecked }

  /// Whether more than 80 % of its range are used up.
  public var isNearlyExhausted: Bool { used > 0.8 && state != .exhausted }

  /// How bad it is.
  public var severity: Severity {
    if state == .exhausted || gap > 100 { return .high }
    if gap > 10 { return .medium }
    return gap > 0 || isNearlyExhausted ? .low : .none
  }

  /// How many values have to be drawn until the next one is free.
  ///
  /// A whole number of increments: sequences that share a range by stepping over one another's
  /// values go on doing so.
  public var draws: Int128 {
    gap > 0 ? (gap - 1) / Int128(sequence.increment.magnitude) + 1 : 0
  }

  /// The next value after a repair; nil where none is free in its range.
  public var repaired: Int128? {
    guard let next, state == .behind else { return nil }
    let target = next + draws * Int128(sequence.increment)
    return sequence.range.contains(clamping: target) ? target : nil
  }

  /// In `Int128`, since the value after the last one need not fit.
  private static func next(
    _ sequence: CataloguedSequence, _ reading: SequenceReading
  ) -> Int128? {
    guard let last = reading.last else { return nil }
    guard reading.isCalled else { return Int128(last) }
    let next = Int128(last) + Int128(sequence.increment)
    guard sequence.cycles else { return next }
    if next > Int128(sequence.maximum) { return Int128(sequence.minimum) }
    if next < Int128(sequence.minimum) { return Int128(sequence.maximum) }
    return next
  }

  private static func used(_ sequence: CataloguedSequence, _ next: Int128?) -> Double {
    guard let next else { return 0 }
    let range = sequence.range
    // A column that is narrower below says nothing about a sequence that counts up.
    let (low, high) =
      sequence.increment > 0
      ? (Int128(sequence.minimum), Int128(range.upperBound))
      : (Int128(range.lowerBound), Int128(sequence.maximum))
    let given = sequence.increment > 0 ? next - low : high - next
    return min(max(Double(given) / Double(max(high - low + 1, 1)), 0), 1)
  }
}

extension ClosedRange<Int64> {
  func contains(clamping value: Int128) -> Bool {
    value >= Int128(lowerBound) && value <= Int128(upperBound)
  }
}
