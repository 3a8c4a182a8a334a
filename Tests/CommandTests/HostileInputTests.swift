import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import closebell
@testable import Settings

/// No input of any kind ends in a signal: it is taken, or refused by name.
///
/// A sample in `make test`; `CLOSEBELL_TEST_FUZZ` asks for more rounds, in thousands, and
/// `CLOSEBELL_CHAOS` for a hundred times as many runs of the program. The seed is printed with
/// what it found; `CLOSEBELL_SEED` repeats it.
@Suite("Hostile arguments and environments are refused by name")
struct HostileInputTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_FUZZ"].flatMap { Int($0) }.map {
      $0 * 1_000
    }
    ?? 200
  private static let isThorough = Chaos.isThorough || rounds > 200
  private static let runs = Chaos.isThorough ? 3_000 : 26
  private static let nowhere = "postgresql://me@127.0.0.1:1/books?sslmode=disable"
  private static let exitCodes = [0, 1, 2, 64, 65, 69, 75, 78, 130]

  /// What the parser makes of a command line: nil, or the message and the code.
  private func parse(_ arguments: [String]) -> (message: String, code: Int32)? {
    do {
      _ = try Closebell.parseAsRoot(arguments)
      return nil
    } catch {
      let failure = Failure(error)
      return (failure.message, failure.code)
    }
  }

  private func isReadable(_ value: String) -> Bool { !value.contains("\u{0}") }

  @Test("every option of every command takes each hostile value, or refuses it by its name")
  func everyOption() async throws {
    var input = HostileInput(seed: Chaos.seed)
    for (words, parameters) in try await CommandTree.read() {
      let due = parameters.filter { !$0.isOptional }
      for parameter in parameters {
        guard let option = parameter.option else { continue }
        let others = due.filter { $0.option != option }
        let rest = others.flatMap { ($0.option.map { [$0] } ?? []) + [$0.harmless] }
        let sample = (0..<6).map { _ in input.generator.pick(HostileInput.values) }
        for value in Self.isThorough ? HostileInput.values : sample {
          guard let refused = parse(words + rest + ["\(option)=\(value)"]) else { continue }
          let what = "\(words) \(option)=\(value.prefix(60)): \(refused.message.prefix(400))"
          #expect(refused.code == 64, "\(what)")
          #expect(refused.message.hasPrefix("error: "), "\(what)")
          #expect(refused.message.contains(option), "\(what)")
        }
      }
    }
  }

  @Test("any command line is parsed, or is wrong usage")
  func anyCommandLine() async throws {
    let tree = try await CommandTree.read()
    var input = HostileInput(seed: Chaos.seed)
    for _ in 0..<Self.rounds {
      let (words, parameters) = input.generator.pick(tree)
      var arguments = input.generator.chance(oneIn: 8) ? [] : words
      for parameter in parameters where input.generator.chance(oneIn: 3) {
        let value = input.generator.chance(oneIn: 2) ? parameter.harmless : input.value()
        arguments += (parameter.preferredName.map { ["--\($0.name)"] } ?? []) + [value]
      }
      while input.generator.chance(oneIn: 3) { arguments.append(input.value()) }
      guard let refused = parse(arguments) else { continue }
      let isUsage = refused.code == 64 && refused.message.hasPrefix("error: ")
      #expect(isUsage || refused.code == 0, "CLOSEBELL_SEED=\(Chaos.seed): \(arguments)")
    }
  }

  @Test("any value of any variable is taken, or is refused by the variable's name")
  func anyEnvironment() {
    var input = HostileInput(seed: Chaos.seed)
    let names = Variables.all.map(\.name)
    for round in 0..<(10 * Self.rounds + names.count * HostileInput.values.count) {
      let (place, kind) = round.quotientAndRemainder(dividingBy: names.count)
      let isListed = place < HostileInput.values.count
      let value = isListed ? HostileInput.values[place] : input.value()
      var objections: [String] = []
      let settings = Settings([names[kind]: value], objections: &objections)
      let isNamed = objections.allSatisfy { $0.hasPrefix(names[kind] + " takes ") }
      #expect(
        objections.count <= 1 && isNamed, "CLOSEBELL_SEED=\(Chaos.seed): \(value) \(objections)")
      // What is taken fits where it goes.
      #expect(
        (1...64).contains(settings.workers) && settings.chunk >= 1 && settings.maxCatchUp >= 1)
      #expect(settings.lease.seconds >= 1 && settings.lockTimeout.milliseconds <= Int(Int32.max))
      #expect(settings.statementTimeout.milliseconds <= Int(Int32.max))
    }
  }

  @Test("the program itself, far from any database, ends with a code and a word about it")
  func program() async throws {
    let tree = try await CommandTree.read().filter { $0.words.first != "postgres" }
    var input = HostileInput(seed: Chaos.seed)
    for _ in 0..<Self.runs {
      let (words, parameters) = input.generator.pick(tree)
      var arguments = words
      for parameter in parameters where !parameter.isOptional || input.generator.chance(oneIn: 6) {
        // Files that it writes, and the database, are not for throwing at.
        guard
          !["database", "plan", "rejects", "output", "metrics"].contains(
            parameter.preferredName?.name)
        else { continue }
        let isHarmless = input.generator.chance(oneIn: 2)
        let value = isHarmless ? parameter.harmless : input.value()
        arguments += (parameter.preferredName.map { ["--\($0.name)"] } ?? [])
        if parameter.kind != "flag" { arguments.append(value) }
      }
      var environment: [String: String] = [:]
      let names = Variables.all.map(\.name).filter {
        !["CLOSEBELL_METRICS_FILE", "CLOSEBELL_HOME"].contains($0)
      }
      if input.generator.chance(oneIn: 2) {
        environment[input.generator.pick(names)] = input.value()
      }
      arguments = (arguments + ["--database", Self.nowhere]).filter(isReadable)
      environment = environment.filter { isReadable($0.value) }
      let run = try await CommandRun.closebell(arguments, environment: environment)
      expectOrderly(run, "CLOSEBELL_SEED=\(Chaos.seed): \(arguments) \(environment)")
    }
  }

  @Test("the program beside its books: dates, numbers and names of every kind end with a code")
  func books() async throws {
    let books = try await OperatorBooks.demo()
    var input = HostileInput(seed: Chaos.seed)
    let forms: [(inout HostileInput) -> [String]] = [
      { ["show", $0.value(), "--date", "2017-06-29"] },
      { ["show", "ACORN", "--date", $0.value()] }, { ["explain", "ACORN", "--date", $0.value()] },
      { ["explain", "ACORN", "--date=2017-06-29", "--max-carried-days=\($0.value())"] },
      { ["status", "--from=\($0.value())"] }, { ["status", "--to=\($0.value())"] },
      { ["export", "snapshots", "--from=\($0.value())", "--to=\($0.value())"] },
      { ["verify", "--from=\($0.value())", "--workers=1"] },
      { ["replay", "--from=\($0.value())", "--to=2017-06-29", "--dry-run"] },
      { ["replay", "--from=2017-06-29", "--to=\($0.value())", "--portfolio=\($0.value())"] },
      { ["run", "--date=\($0.value())", "--max-catch-up=\($0.value())"] },
      { ["run", "--date=2017-06-30", "--wait=\($0.value())", "--portfolio=\($0.value())"] },
      { ["lock", "--month=\($0.value())", "--reason=\($0.value())"] },
      { ["unlock", "--month=\($0.value())", "--reason=x", "--portfolio=\($0.value())"] },
      { ["imports", "show", $0.value()] }, { ["imports", "cancel", $0.value()] },
      { ["imports", "resume", $0.value()] }, { ["repair", "undo", $0.value(), "--yes"] },
      { ["repair", "duplicates", $0.value(), "--dry-run"] },
      { ["repair", "equity", "--dry-run", "--from=\($0.value())", "--workers=\($0.value())"] },
      { ["sequences", "check", $0.value()] }, { ["cleanup", "--older-than=\($0.value())"] },
      { ["migrate", "--to=\($0.value())", "--status"] }, { ["migrate", "--adopt=\($0.value())"] },
      { ["import", "prices", "-", "--delimiter=\($0.value())", "--map=\($0.value())"] },
      { ["import", "activities", "-", "--set=\($0.value())", "--date-format=\($0.value())"] },
    ]
    for round in 0..<max(Self.runs, forms.count) {
      let arguments = forms[round % forms.count](&input).filter(isReadable)
      let run = try await books.run(
        arguments, input: "date,symbol,close\n2017-06-29,X,1\n",
        timeLimit: .seconds(240))
      expectOrderly(run, "CLOSEBELL_SEED=\(Chaos.seed): \(arguments)")
    }
  }

  private func expectOrderly(_ run: CommandRun, _ what: String) {
    let said = "\(what.prefix(2_000))\nexit \(run.exitCode): \(run.standardError.prefix(1_000))"
    #expect(Self.exitCodes.contains(run.exitCode), "\(said)")
    if run.exitCode > 1 { #expect(run.standardError.contains("error: "), "\(said)") }
  }
}
