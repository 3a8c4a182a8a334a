import Console
import Postgres
import Problems
import Storage

extension ServerClock {
  /// Asks the server on an open connection, and says so where this machine's clock differs.
  ///
  /// - Parameter isStrict: Whether a clock that differs is refused.
  static func ask(_ connection: Connection, isStrict: Bool = false) async throws -> ServerClock {
    let clock = try await connection.perform { db in
      try ServerClock(beside: { Clock.now }, on: db)
    }
    guard clock.differs else { return clock }
    let problem = StatedProblem(
      ProblemCode("clock_differs", .configuration),
      "this machine's clock is \(clock.difference) the server's, which counts",
      remedy: "set both by a time server")
    if isStrict { throw problem }
    Terminal.complain(LogLine(problem, level: .warning))
    return clock
  }

  /// `3 days ahead of`, in the largest unit that leaves a whole number of at least two.
  private var difference: String {
    let seconds = clientAhead.magnitude
    let units: [(name: String, seconds: UInt64)] = [("days", 86_400), ("hours", 3_600)]
    let unit = units.first { seconds >= 2 * $0.seconds } ?? ("minutes", 60)
    return "\(seconds / unit.seconds) \(unit.name) \(clientAhead > 0 ? "ahead of" : "behind")"
  }
}
