internal import Accounting
internal import Postgres
internal import Storage

/// Names fingerprints that are not what the inputs make them, though the numbers are.
///
/// A date that another version closed is right if its numbers are: where no fingerprint of a
/// portfolio fits, none is named. But each is part of the next date's: one that fits proves all
/// inputs before it, so that an earlier one that does not was itself changed. Of those behind the
/// last that fits the first is named; the others may just follow from it. From before policies were
/// kept the policy was part of it: a date of then may have had another one, and is not named.
enum FingerprintCheck {
  /// - Parameter computed: What each of `segments` was compared with, in the same order.
  static func check(
    _ segments: inout [RecomputedSegment], _ computed: [ComputedSegment], on db: isolated Connection
  ) throws {
    var openings: [Int: (slot: Slot, fingerprint: Fingerprint)] = [:]
    for index in segments.indices where segments[index].checkFingerprints() {
      let first = segments[index].dates[0].date
      guard let before = computed[index].closed.last(where: { $0.step.date < first }),
        let fingerprint = before.fingerprint
      else { continue }
      openings[index] = (computed[index].segment.slot(before.step), fingerprint)
    }
    guard !openings.isEmpty else { return }
    let stored = try StoredSnapshots.fingerprints(of: openings.values.map(\.slot), on: db)
    for (index, before) in openings where stored[before.slot] == before.fingerprint {
      segments[index].dates[0].nameFingerprint()
    }
  }
}

extension RecomputedSegment {
  /// - Returns: Whether the first date is to be named too, if the date before it fits.
  fileprivate mutating func checkFingerprints() -> Bool {
    var end = dates.count
    for date in reopened.reversed() {
      guard let cut = dates.firstIndex(where: { $0.date >= date }), cut < end else { continue }
      // What stands before it fits: it is what it was opened from.
      if checkFingerprints(of: cut..<end) { dates[cut].nameFingerprint() }
      end = cut
    }
    return checkFingerprints(of: 0..<end)
  }

  /// Dates that were derived one from the other.
  private mutating func checkFingerprints(of chain: Range<Int>) -> Bool {
    let lastFit = dates[chain].lastIndex { date in
      date.fingerprint != nil && date.stored?.fingerprint == date.fingerprint
    }
    for index in chain.lowerBound..<(lastFit ?? chain.lowerBound) {
      dates[index].inputsAreProven = true
      if dates[index].hasOtherFingerprint { dates[index].nameFingerprint() }
    }
    let next = lastFit.map { $0 + 1 } ?? chain.lowerBound
    // A row from before there were fingerprints has none.
    guard next < chain.upperBound, dates[next].hasOtherFingerprint,
      dates[next].differences.isEmpty, dates[next].stored?.fingerprint != nil,
      dates[next].stored?.keptPolicy != nil
    else { return false }
    guard lastFit != nil else { return true }
    dates[next].nameFingerprint()
    return false
  }
}

extension RecomputedDate {
  /// Of a date that the books know as stale nothing else is expected.
  fileprivate var hasOtherFingerprint: Bool {
    guard let stored, !stored.isStale, let fingerprint else { return false }
    return stored.fingerprint != fingerprint
  }

  fileprivate mutating func nameFingerprint() {
    differences.append(
      ValueDifference(
        place: .snapshot, column: "fingerprint", stored: stored?.fingerprint?.description,
        recomputed: fingerprint?.description))
  }
}
