import Glibc
import TestSupport
import Testing

/// What the pure kernels cost, in instructions: the same on a busy machine as on an idle one.
///
/// Times are measured by the benchmarks. These budgets are a tenth above what was counted, so that
/// a change that makes a kernel dearer has to say so here.
@Suite("instruction counts")
struct InstructionCountTests {
  private static let valgrind = "/usr/bin/valgrind"
  private static let isThere = access(valgrind, X_OK) == 0

  /// - Parameters:
  ///   - items: How much one round of the workload works through.
  ///   - budget: The most instructions for one of them.
  struct Kernel: Sendable, CustomTestStringConvertible {
    var name: String
    var items: Int
    var budget: Int
    var testDescription: String { name }
  }

  static let kernels = [
    Kernel(name: "cold-2", items: 256, budget: 530),
    Kernel(name: "cold-10", items: 256, budget: 3_050),
    Kernel(name: "cold-240", items: 256, budget: 20_200),
    Kernel(name: "warm-60", items: 256, budget: 820),
    Kernel(name: "warm-1000", items: 256, budget: 830),
    Kernel(name: "night-base", items: 1_000, budget: 2_950),
    Kernel(name: "night-foreign", items: 1_000, budget: 3_330),
  ]

  @Test(
    "a kernel keeps to its budget of instructions",
    .enabled(if: isThere, "valgrind is not installed"), arguments: kernels)
  func budget(_ kernel: Kernel) async throws {
    let few = try await instructions(of: kernel.name, rounds: 2)
    let many = try await instructions(of: kernel.name, rounds: 12)
    let each = (many - few) / (10 * kernel.items)
    #expect(each <= kernel.budget, "\(kernel.name) takes \(each) instructions an item")
    // Fewer by far: the budget is out of date, or the workload does nothing any more.
    #expect(each >= kernel.budget / 2, "\(kernel.name) takes \(each) instructions an item")
  }

  @Test(
    "an explanation costs what happened in it, and not the square of it",
    .enabled(if: isThere, "valgrind is not installed"))
  func explanation() async throws {
    var each: [Int] = []
    for trades in [200, 1_600] {
      let kernel = "explain-\(trades)"
      let few = try await instructions(of: kernel, rounds: 1)
      let many = try await instructions(of: kernel, rounds: 3)
      each.append((many - few) / (2 * trades))
    }
    #expect(each[1] <= each[0] * 3 / 2, "instructions a trade: \(each)")
  }

  @Test(
    "a sale costs the lots that it closes, however many there are",
    .enabled(if: isThere, "valgrind is not installed"))
  func sales() async throws {
    var each: [Int] = []
    for lots in [500, 8_000] {
      let kernel = "sales-\(lots)"
      let few = try await instructions(of: kernel, rounds: 1)
      let many = try await instructions(of: kernel, rounds: 3)
      each.append((many - few) / (2 * lots))
    }
    #expect(each[1] <= each[0] * 3 / 2, "instructions a lot: \(each)")
  }

  private func instructions(of kernel: String, rounds: Int) async throws -> Int {
    let run = try await CommandRun.run(
      Self.valgrind,
      [
        "--tool=callgrind", "--callgrind-out-file=/dev/null",
        CommandRun.beside("instruction-probe"), kernel, "\(rounds)",
      ], environment: ["SWIFT_DETERMINISTIC_HASHING": "1"])
    #expect(run.exitCode == 0, "\(run.standardError)")
    let line = run.standardError.split(separator: "\n").first { $0.contains("Collected :") }
    let count = line?.split(separator: " ").last.flatMap { Int($0) }
    return try #require(count, "\(run.standardError)")
  }
}
