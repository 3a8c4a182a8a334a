import Foundation
import Synchronization
import TestSupport
import Testing

/// Who imports, locks and reads while nights are closed.
///
/// Each party does one thing after the other, drawn by a seed, until it has done as much as was
/// asked of it. Whatever ends a process, it may only end as the manual says; and what a reading
/// tells is looked at.
final class Bystanders: Sendable {
  /// What was done to its end so far.
  struct Counts: Sendable {
    var imports = 0
    var locks = 0
    var readings = 0
  }

  private let books: OperatorBooks
  private let forest: Forest
  private let state: Mutex<State>

  private struct State {
    var counts = Counts()
    var goal = Counts()
    var endsUnlocked = false
    var importing: SeededGenerator
    var locking: SeededGenerator
    var reading: SeededGenerator
  }

  init(_ books: OperatorBooks, _ forest: Forest, stream: UInt64) {
    self.books = books
    self.forest = forest
    state = Mutex(
      State(
        importing: SeededGenerator(stream: stream), locking: SeededGenerator(stream: stream + 1),
        reading: SeededGenerator(stream: stream + 2)))
  }

  var soFar: Counts { state.withLock { $0.counts } }

  /// Whether all is done that was asked.
  var areDone: Bool {
    state.withLock {
      $0.counts.imports >= $0.goal.imports && $0.counts.locks >= $0.goal.locks
        && $0.counts.readings >= $0.goal.readings
    }
  }

  /// Asks for so much more, and gives who does it.
  ///
  /// A month that is corrected and then locked without a replay keeps out the nights that trade on
  /// it, until somebody unlocks it: where `endsUnlocked` the last act does so. Under a sleeper
  /// nobody can lock or unlock anything.
  func parties(imports: Int, locks: Int, readings: Int, endsUnlocked: Bool) -> [Storm.Party] {
    state.withLock {
      $0.endsUnlocked = endsUnlocked
      $0.goal = Counts(
        imports: $0.counts.imports + imports, locks: $0.counts.locks + locks,
        readings: $0.counts.readings + readings)
    }
    return [
      Storm.Party(width: 1, launch: importing) { [self] in
        state.withLock { $0.counts.imports >= $0.goal.imports }
      },
      Storm.Party(width: 1, launch: locking) { [self] in
        state.withLock { $0.counts.locks >= $0.goal.locks }
      },
      Storm.Party(width: 1, launch: reading) { [self] in
        state.withLock { $0.counts.readings >= $0.goal.readings }
      },
    ]
  }

  /// How a process may end that was disturbed: it failed, found no server, or was killed.
  private static let disturbed = [2, 69, 75, 137]

  // MARK: - Imports

  /// A file in an earlier version, or in its final one; in a locked month some rows are refused.
  private func importing(_ whileRunning: @escaping Storm.Watch) async throws -> CommandRun {
    let file = state.withLock { state in
      let kind = state.importing.pick(Forest.corrected + ["activities", "prices"])
      let number = state.importing.below(4)
      return forest.file(kind, number == 0 ? .final : .earlier(number))
    }
    let run = try await books.run(
      ["import", file.kind, "-"], environment: ["CLOSEBELL_LOCK_TIMEOUT": "2s"], input: file.csv,
      whileRunning: whileRunning)
    #expect(
      ([0, 65] + Self.disturbed).contains(run.exitCode), "\(file.kind): \(run.standardError)")
    if [0, 65].contains(run.exitCode) { state.withLock { $0.counts.imports += 1 } }
    return run
  }

  // MARK: - Locks

  private func locking(_ whileRunning: @escaping Storm.Watch) async throws -> CommandRun {
    let (arguments, isLast) = state.withLock { state in
      if state.endsUnlocked, state.counts.locks + 1 >= state.goal.locks {
        return (["unlock", "--month", "2017-05", "--reason", "storm"], true)
      }
      let whom =
        state.locking.chance(oneIn: 3)
        ? ["--portfolio", "P\(1 + state.locking.below(forest.portfolios))"] : []
      let act = state.locking.chance(oneIn: 2) ? "lock" : "unlock"
      return ([act, "--month", "2017-05", "--reason", "storm"] + whom, false)
    }
    let run = try await books.run(
      arguments, environment: ["CLOSEBELL_LOCK_TIMEOUT": "300ms"], whileRunning: whileRunning)
    #expect(
      ([0, 1] + Self.disturbed).contains(run.exitCode), "\(arguments): \(run.standardError)")
    if run.exitCode == 0 || !isLast && [1, 75].contains(run.exitCode) {
      state.withLock { $0.counts.locks += 1 }
    }
    return run
  }

  // MARK: - Readings

  private func reading(_ whileRunning: @escaping Storm.Watch) async throws -> CommandRun {
    let arguments = state.withLock { state in
      let portfolio = "P\(1 + state.reading.below(forest.portfolios))"
      let date = state.reading.pick(forest.dates)
      return switch state.reading.below(8) {
      case 0, 1, 2: ["show", portfolio, "--date", date, "--json"]
      case 3: ["explain", portfolio, "--date", date, "--json"]
      case 4: ["status", "--from", forest.dates[0], "--json"]
      case 5: ["export", "snapshots", "--format", "json"]
      case 6: ["export", "holdings", "--format", "json"]
      default: ["verify", "--json"]
      }
    }
    let run = try await books.run(arguments, whileRunning: whileRunning)
    #expect(
      ([0, 1] + Self.disturbed).contains(run.exitCode), "\(arguments): \(run.standardError)")
    // Of a date that is not closed yet nothing is told.
    guard run.exitCode < 2, !run.standardOutput.isEmpty else { return run }
    let found = Reading(arguments[0], of: forest).contradictions(in: run.standardOutput)
    #expect(found == [], "\(arguments)")
    state.withLock { $0.counts.readings += 1 }
    return run
  }
}
