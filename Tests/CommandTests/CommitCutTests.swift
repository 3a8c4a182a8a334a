import TestSupport
import Testing

/// The line breaks at a commit, whose outcome nobody then knows: a proxy between the program and
/// PostgreSQL cuts it just before, just after, or with the answer on its way.
///
/// What was committed is found again by its claim id; nothing is done twice.
@Suite(.serialized) struct CommitCutTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "1"]
  private static let deeds: [(name: String, command: [String], before: [[String]])] = [
    ("run", night, []),
    (
      "replay", ["replay", "--from", "2017-06-29", "--to", "2017-06-30", "--workers", "1"], [night]
    ),
  ]

  @Test(
    "a run whose line breaks at any commit ends in the same tables by itself",
    arguments: [0, 1], CommitProxy.Cut.allCases)
  func everyCommit(deed number: Int, cut: CommitProxy.Cut) async throws {
    let deed = Self.deeds[number]
    let lane = try await Lane.on(.smallWorld, after: deed.before)
    if deed.name == "replay" { try await lane.books.importFiles(SmallWorld.corrections) }
    try await lane.keep()
    try await lane.books.expectDone(deed.command)
    let expected = try await lane.tables()
    var commits = 0
    var overcome = 0
    // A sample takes every fourth commit.
    let stride = Chaos.isThorough ? 1 : 4
    var random = SeededGenerator(stream: UInt64(number))
    var nth = Int.random(in: 1...stride, using: &random)
    while true {
      try await lane.reset()
      let proxy = try #require(
        CommitProxy(before: TestCluster.shared.underlying, cutting: nth, cut))
      let run = try await CommandRun.closebell(
        deed.command + ["--database", proxy.conninfo(database: lane.books.database)],
        environment: ["CLOSEBELL_CHUNK": "2"])
      guard proxy.hasCut else { break }
      commits += 1
      let what = "\(deed.name), commit \(nth) cut \(cut)\n\(run.standardError)"
      nth += stride
      #expect([0, 2, 69].contains(run.exitCode), "\(what)")
      if run.exitCode == 0 {
        overcome += 1
        #expect(try await lane.tables() == expected, "done, and yet not: \(what)")
        #expect(try await lane.leftovers() == [], "\(what)")
      }
      try await lane.waitForSilence()
      let next = try await lane.books.run(deed.command + ["--wait", "0"])
      #expect(next.exitCode == 0, "\(what)then: \(next.standardError)")
      #expect(try await lane.tables() == expected, "\(what)")
      #expect(try await lane.leftovers() == [], "\(what)")
    }
    await lane.close()
    #expect(commits >= 8 / stride)
    #expect(overcome >= commits - 2, "only what comes before the first claim may end a run")
    Chaos.report("commits of \(deed.name) cut \(cut): \(commits), overcome \(overcome)")
  }
}
