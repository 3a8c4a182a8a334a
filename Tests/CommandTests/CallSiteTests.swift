import Postgres
import TestSupport
import Testing

/// Every call to the server fails, in every way, in the smallest world that has everything; and
/// the next run ends in the tables of one that nothing disturbed.
///
/// A call is a statement, a preparation, a begin, a commit, a connect, or a whole COPY.
@Suite(.serialized) struct CallSiteTests {
  /// A command that is disturbed, and what surrounds it.
  struct Deed: Sendable, CustomTestStringConvertible {
    var name: String
    /// What there is before.
    var ground = Lane.Ground.smallWorld
    /// The command whose calls fail; then it is given again.
    var command: [String]
    /// What was done before.
    var before: [[String]] = []
    /// Whether the small world's corrections were imported before.
    var isCorrected = false
    /// What somebody did to the tables by hand, in SQL.
    var damage: String?
    /// What follows the second time, until the tables can be compared.
    var afterwards: [[String]] = []
    /// A fault in a command before, as `CLOSEBELL_FAULT` has it.
    var faultBefore: (command: [String], fault: String)?
    /// A sample takes every so manieth call.
    var stride = 31

    var testDescription: String { name }
  }

  private static let night = ["run", "--date", "2017-06-30", "--workers", "1"]
  private static let again = [
    "replay", "--from", "2017-06-29", "--to", "2017-06-30", "--workers", "1",
  ]
  private static let cleanup = ["cleanup"]

  /// Another command is another line here.
  static let deeds = [
    Deed(name: "run", command: night),
    Deed(name: "migrate", ground: .empty, command: ["migrate"], stride: 11),
    Deed(name: "replay", command: again, before: [night], isCorrected: true),
    Deed(
      name: "cleanup", command: cleanup, afterwards: [night],
      faultBefore: (night, "populate-fill:kill"), stride: 5),
    Deed(
      name: "run over what a dead run left", command: night,
      faultBefore: (night, "populate-holdings:kill")),
    Deed(
      name: "repair equity", command: ["repair", "equity", "--yes", "--workers", "1"],
      before: [night],
      damage: """
        update closebell.portfolio_snapshots
        set opening_equity = opening_equity + 70, closing_equity = closing_equity + 70,
          cash = cash + 70
        where snapshot_date = '2017-06-29';
        update closebell.portfolio_snapshots set return_index = 2
        where snapshot_date = '2017-06-30';
        delete from closebell.portfolio_fund_irr_values where date = '2017-06-30'
        """),
  ]

  static let faults: [FaultPlan.Fault] = [
    .kill, .cutBeforeSend, .cutAfterSend, .serverError, .killAfterSend,
  ]

  /// Chunks of two portfolios; nobody waits for slots whose owner the server believes alive.
  private static let environment = ["CLOSEBELL_CHUNK": "2", "CLOSEBELL_LEASE_SECONDS": "86400"]

  @Test("whichever call fails, and however, the next one ends in the same tables", arguments: deeds)
  func everyCall(_ deed: Deed) async throws {
    let lanes = Chaos.isThorough ? 4 : 2
    let expected = try await undisturbed(deed)
    var random = SeededGenerator(stream: 1)
    let stride = Chaos.isThorough ? 1 : deed.stride
    let first = Int.random(in: 1...stride, using: &random)
    let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
      for lane in 0..<lanes {
        group.addTask {
          try await walk(
            deed, from: first + lane * stride, by: lanes * stride, towards: expected)
        }
      }
      return try await group.reduce(into: Tally()) { $0.add($1) }
    }
    #expect(tally.fired > 0, "a fault must hit to prove anything")
    Chaos.report(
      "call sites of \(deed.name): \(tally.calls) calls, \(tally.fired) faults, of which the "
        + "command itself overcame \(tally.overcome)")
  }

  private struct Tally: Sendable {
    var calls = 0
    var fired = 0
    var overcome = 0

    mutating func add(_ other: Tally) {
      calls += other.calls
      fired += other.fired
      overcome += other.overcome
    }
  }

  /// The tables that the deed ends in when nothing fails.
  private func undisturbed(_ deed: Deed) async throws -> [String] {
    let lane = try await prepared(deed)
    for arguments in [deed.command] + deed.afterwards {
      try await lane.books.expectDone(arguments)
    }
    let tables = try await lane.tables()
    #expect(tables.count > 20)
    #expect(try await lane.leftovers() == [])
    await lane.close()
    return tables
  }

  private func prepared(_ deed: Deed) async throws -> Lane {
    let lane = try await Lane.on(deed.ground, after: deed.before)
    if let damage = deed.damage { try await lane.books.execute(damage) }
    if deed.isCorrected { try await lane.books.importFiles(SmallWorld.corrections) }
    if let (command, fault) = deed.faultBefore {
      let killed = try await lane.books.run(
        command, environment: Self.environment.merging(["CLOSEBELL_FAULT": fault]) { $1 })
      #expect(killed.exitCode == 137, "\(killed.standardError)")
      try await lane.waitForSilence()
    }
    if case .smallWorld = deed.ground { try await lane.keep() }
    return lane
  }

  /// Takes every `stride`-th call from `first` on, until the command makes no such call.
  private func walk(
    _ deed: Deed, from first: Int, by stride: Int, towards expected: [String]
  ) async throws -> Tally {
    let lane = try await prepared(deed)
    var tally = Tally()
    var number = first
    var turn = first
    while true {
      let isThere = try await isHit(deed, "\(number):kill", lane, expected)
      guard isThere else { break }
      tally.calls += 1
      tally.fired += 1
      let others = Self.faults.dropFirst()
      // A sample takes one of the other ways in turn.
      let chosen = Chaos.isThorough ? Array(others) : [Self.faults[1 + turn % others.count]]
      turn += 1
      for fault in chosen {
        tally.fired += 1
        if try await !isHit(deed, "\(number):\(fault.rawValue)", lane, expected) {
          tally.overcome += 1
        }
      }
      number += stride
    }
    await lane.close()
    return tally
  }

  /// Disturbs the command, gives it again, and compares.
  ///
  /// - Returns: Whether the disturbed one showed anything of the fault.
  private func isHit(
    _ deed: Deed, _ fault: String, _ lane: Lane, _ expected: [String]
  ) async throws -> Bool {
    try await lane.reset()
    let what: Comment = "\(deed.name), CLOSEBELL_FAULT=\(fault)"
    let disturbed = try await lane.books.run(
      deed.command, environment: Self.environment.merging(["CLOSEBELL_FAULT": fault]) { $1 })
    let said: Comment = "\(what.rawValue)\n\(disturbed.standardError)"
    if fault.contains("kill") {
      #expect([0, 137].contains(disturbed.exitCode), said)
    } else {
      #expect([0, 2, 69].contains(disturbed.exitCode), said)
    }
    if disturbed.exitCode == 0, deed.afterwards.isEmpty {
      #expect(try await lane.tables() == expected, "done, and yet not: \(said.rawValue)")
    }
    try await lane.waitForSilence()
    for arguments in [deed.command] + deed.afterwards {
      let next = try await lane.books.run(
        arguments + (["run", "replay"].contains(arguments[0]) ? ["--wait", "0"] : []),
        environment: Self.environment)
      #expect(next.exitCode == 0, "then \(arguments): \(next.standardError)\(said.rawValue)")
    }
    #expect(try await lane.tables() == expected, said)
    #expect(try await lane.leftovers() == [], said)
    return disturbed.exitCode != 0
  }
}
