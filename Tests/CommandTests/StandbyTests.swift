import TestSupport
import Testing

/// A server that may only be read: the books can be looked at there, and nothing else.
@Suite struct StandbyTests {
  private static let readers = [
    ["show", "ASH", "--date", "2017-06-30"], ["status"], ["verify"], ["export", "snapshots"],
    ["explain", "ASH", "--date", "2017-06-30"], ["imports"], ["imports", "show", "1"],
    ["sequences", "check"], ["migrate", "--status"],
    ["replay", "--from", "2017-06-30", "--to", "2017-06-30", "--dry-run"],
    ["repair", "equity", "--dry-run"],
  ]
  private static let writers = [
    ["run", "--date", "2017-06-30"], ["import", "prices", "-"], ["imports", "work"], ["migrate"],
    ["replay", "--from", "2017-06-30", "--to", "2017-06-30"], ["cleanup"], ["pause"],
    ["repair", "equity", "--yes"], ["lock", "--month", "2017-05", "--reason", "reported"],
  ]

  @Test("on a hot standby what only reads works; the rest ends with 69 and names the way out")
  func hotStandby() async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    try await books.prepareSmallWorld()
    try await books.expectDone("run", "--date", "2017-06-30")
    var said: [String] = []
    for command in Self.readers {
      let there = try await books.run(command)
      #expect(there.exitCode == 0, "\(command): \(there.standardError)")
      said.append(Self.withoutTimes(there.standardOutput))
    }
    try await books.execute(
      """
      do $$ begin execute format('copy (select) to %L',
        current_setting('data_directory') || '/standby.signal'); end $$
      """)
    try await cluster.stop()
    try await cluster.start()
    for (command, before) in zip(Self.readers, said) {
      let there = try await books.run(command)
      #expect(there.exitCode == 0, "\(command): \(there.standardError)")
      #expect(Self.withoutTimes(there.standardOutput) == before, "\(command)")
    }
    for command in Self.writers {
      // Asked to take any server, these two find nothing to write.
      let finishes = ["migrate", "repair"].contains(command[0])
      for environment in [[:], ["PGTARGETSESSIONATTRS": "any"]].prefix(finishes ? 1 : 2) {
        let refused = try await books.run(
          command, environment: environment, input: SmallWorld.corrections[0].csv)
        #expect(refused.exitCode == 69, "\(command) \(environment): \(refused.standardError)")
        #expect(
          refused.standardError.contains("hint: connect to the primary server"),
          "\(command) \(environment): \(refused.standardError)")
      }
    }
    try await cluster.discard()
  }

  /// Durations differ from one call to the next.
  private static func withoutTimes(_ text: String) -> String {
    text.split(separator: " ").filter { !$0.contains(".") || $0.contains("-") }
      .joined(separator: " ").split(separator: "(").first.map(String.init) ?? ""
  }
}
