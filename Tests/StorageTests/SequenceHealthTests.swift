import Postgres
import Sequences
import Storage
import TestSupport
import Testing

/// Constructed sequences, each judged and repaired; and what keeps a table from being read.
@Suite struct SequenceHealthTests {
  @Test(
    "every constructed case is judged right, repaired forward, and then left alone",
    arguments: SequenceCase.all)
  func judged(_ example: SequenceCase) async throws {
    let world = try await SequenceWorld.made("create schema s; \(example.sql)")
    let health = try #require(
      try await world.check().first { $0.sequence.name == example.sequence })
    #expect(health.state == example.state)
    #expect(health.severity == example.severity)
    #expect(health.next == nil || health.next == Int128(example.next))
    #expect(health.gap == Int128(example.gap))
    guard health.isUnhealthy else { return }

    let before = try await world.next(example.sequence)
    let dry = try await world.repair([example.sequence], isDry: true)
    #expect(try await world.next(example.sequence) == before, "a dry run moves nothing")
    let outcome = try await world.repair([example.sequence])
    if let repaired = example.repaired {
      #expect(outcome.map(\.text) == ["\(example.next) → \(repaired)"])
      let foreseen = "\(example.next) → \(repaired)"
      // What a cache draws ahead is not foreseen.
      if health.sequence.cache == 1 { #expect(dry.map(\.text) == [foreseen]) }
      #expect(try await world.next(example.sequence) == repaired)
      #expect(try await world.check([example.sequence]).map(\.state) == [.healthy])
      #expect(try await world.repair([example.sequence]).map(\.text) == ["nothing"])
      #expect(try await world.next(example.sequence) == repaired, "a second time moves nothing")
    } else {
      #expect(outcome.map(\.text) == ["refused"])
      #expect(dry.map(\.text) == ["refused"])
      #expect(try await world.next(example.sequence) == before, "a refusal moves nothing")
    }
  }

  @Test("all cases side by side in one database are judged as each alone")
  func sideBySide() async throws {
    let world = try await SequenceWorld.made()
    let cases = SequenceCase.all.filter { !$0.sql.contains("elsewhere") }
    for (index, example) in cases.enumerated() {
      try await world.execute(
        "create schema s\(index); " + example.sql.replacing("s.", inSchema: "s\(index)."))
    }
    let healths = try await world.check()
    for (index, example) in cases.enumerated() {
      let name = example.sequence.replacing("s.", inSchema: "s\(index).")
      let health = try #require(healths.first { $0.sequence.name == name }, "\(name)")
      #expect(health.state == example.state, "\(example.rule)")
      #expect(health.gap == Int128(example.gap), "\(example.rule)")
    }
  }

  @Test("a large table without an index: its newest pages tell, --scan tells all")
  func newestPages() async throws {
    let world = try await SequenceWorld.made(
      """
      create table public.t (id bigserial, filler text);
      alter table public.t alter filler set storage plain;
      insert into public.t values (5000);
      insert into public.t (filler) select repeat('x', 4000) from generate_series(1, 300);
      """)
    let cheap = try await world.check()
    #expect(cheap.map(\.state) == [.healthy], "the old row was not looked at, and that is said")
    #expect(cheap.first?.readings.first?.coverage != .whole)
    #expect(try await world.check(scans: true).map(\.gap) == [4_700])
    try await world.execute("insert into public.t values (900)")
    #expect(try await world.check().map(\.gap) == [600])
  }

  @Test("a name without a schema, a partition's, a sequence's and an unknown one")
  func names() async throws {
    let world = try await SequenceWorld.made(
      """
      create schema a; create schema b;
      create table a.t (id bigserial primary key); create table b.t (id bigserial primary key);
      create table a.p (id bigserial, d integer, primary key (id, d)) partition by list (d);
      create table a.p1 partition of a.p for values in (1);
      create table a.plain (id bigint primary key);
      """)
    func found(_ name: String) async throws -> [String] {
      try await world.check([name]).map(\.sequence.name)
    }
    #expect(try await found("t") == ["a.t_id_seq", "b.t_id_seq"])
    #expect(try await found("b.t") == ["b.t_id_seq"])
    #expect(try await found("a.p1") == ["a.p_id_seq"])
    #expect(try await found("a.p_id_seq") == ["a.p_id_seq"])
    #expect(try await found("a.plain") == [])
    for name in ["c.t", "\"T\"", "a.\"x", "a..t"] {
      await #expect(throws: SequenceError.self) { _ = try await world.check([name]) }
    }
  }
}

extension String {
  /// The same statements for another schema than `s`.
  fileprivate func replacing(_ schema: String, inSchema other: String) -> String {
    var text = ""
    var rest = self[...]
    while let range = rest.firstRange(of: schema) {
      let isWord = rest[..<range.lowerBound].last.map { $0.isLetter || $0 == "_" } ?? false
      text += rest[..<range.lowerBound] + (isWord ? schema : other)
      rest = rest[range.upperBound...]
    }
    return text + rest
  }
}
