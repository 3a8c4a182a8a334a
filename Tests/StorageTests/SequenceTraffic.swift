import Glibc
import Postgres
import Sequences
import Storage
import Synchronization
import TestSupport

/// Sessions that work on one table at the same time, and what came of it.
struct SequenceTraffic: Sendable {
  let world: SequenceWorld

  /// What a session did.
  struct Tally: Sendable {
    /// Rounds that were done.
    var done = 0
    /// Rounds that ended in "duplicate key value violates unique constraint".
    var duplicates = 0
    /// Other failures, by their text.
    var others: [String] = []

    static func + (left: Tally, right: Tally) -> Tally {
      Tally(
        done: left.done + right.done, duplicates: left.duplicates + right.duplicates,
        others: left.others + right.others)
    }
  }

  /// How long: rounds of a session, or seconds where `CLOSEBELL_CHAOS` asks for a storm.
  static var isStorm: Bool { Chaos.isThorough }

  /// Runs `round` again and again in as many sessions; a round is one transaction.
  func run(
    sessions: Int, rounds: Int, stormSeconds: Int = 60,
    _ round: @escaping @Sendable (isolated Connection, _ session: Int, _ round: Int) throws -> Void
  ) async throws -> Tally {
    let deadline = ContinuousClock.now + .seconds(Self.isStorm ? stormSeconds : 60)
    let most = Self.isStorm ? Int.max : rounds
    return try await withThrowingTaskGroup(of: Tally.self) { group in
      for session in 0..<sessions {
        group.addTask {
          let connection = try await world.connect()
          var tally = Tally()
          var number = 0
          while number < most, ContinuousClock.now < deadline {
            do {
              let current = number
              try await connection.perform { db in try round(db, session, current) }
              tally.done += 1
            } catch let error as PostgresError where error.sqlState == "23505" {
              tally.duplicates += 1
            } catch {
              tally.others.append("\(error)")
            }
            number += 1
          }
          await connection.close()
          return tally
        }
      }
      return try await group.reduce(Tally(), +)
    }
  }

  /// Looks at the sequence all the while, and counts how often it stood lower than before.
  func watch<R: Sendable>(
    _ sequence: String, while body: () async throws -> R
  ) async throws -> (R, backward: Int) {
    let flag = Flag()
    let watcher = Task {
      try await world.perform { db in
        let look = Statement("look", "select coalesce(pg_sequence_last_value('\(sequence)'), 0)")
        var (highest, backward) = (Int64.min, 0)
        while !flag.isRaised {
          let last = try db.row(look) { try $0.nextInt64() } ?? highest
          if last < highest { backward += 1 }
          highest = last
          usleep(200)
        }
        return backward
      }
    }
    do {
      let result = try await body()
      flag.raise()
      return (result, try await watcher.value)
    } catch {
      flag.raise()
      _ = try? await watcher.value
      throw error
    }
  }

  private final class Flag: Sendable {
    private let state = Mutex(false)
    var isRaised: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
  }
}
