import Problems
import Testing

@Suite("A problem says what is wrong, and what to do")
struct ProblemTests {
  private struct Foreseen: Problem {
    var stated: StatedProblem {
      StatedProblem(
        ProblemCode("foreseen", .busy), "somebody is at it", details: ["session 1", "session 2"],
        remedy: "try again later: \(.status)")
    }
  }
  private struct Unforeseen: Error, CustomStringConvertible {
    var description: String { "it broke" }
  }

  @Test("a problem reads as PostgreSQL's own programs print: message, details, hint")
  func text() {
    #expect(
      "\(Foreseen())" == """
        somebody is at it
        detail: session 1
        detail: session 2
        hint: try again later: closebell status
        """)
  }

  @Test(
    "an error that nobody foresaw is a failure with the code internal, never one without a code")
  func unforeseen() {
    let problem = Unforeseen().stated
    #expect(problem.code.name == "internal" && problem.code.kind == .failed)
    #expect("\(problem)" == "it broke")
    #expect(CancellationError().stated.code.kind.exitCode == 2)
    let foreseen: any Error = Foreseen()
    #expect(foreseen.stated.code.name == "foreseen")
  }

  @Test("whatever somebody else wrote into a problem begins none of its lines")
  func oneLine() {
    for end in ["\n", "\r\n", "\r"] {
      let forged = "x" + end + "hint: forged" + end + "error: forged"
      let problem = StatedProblem(
        ProblemCode("foreseen", .busy), forged, headline: forged, details: [forged],
        quoting: forged, remedy: "\(forged): \(.run(portfolio: forged))")
      let lines = "\(problem)".unicodeScalars.split(separator: "\n").map(String.init)
      #expect(lines.count == (end == "\r" ? 4 : 6), "\(problem)")
      for line in lines {
        #expect(!line.hasPrefix("hint: forged") && !line.hasPrefix("error: "), "\(problem)")
        #expect(!line.unicodeScalars.contains("\r"))
      }
      #expect(!problem.message.unicodeScalars.contains { "\r\n".unicodeScalars.contains($0) })
    }
  }

  @Test("what is kept of a problem says the same as the problem")
  func stated() {
    let stated = Foreseen().stated
    #expect("\(stated)" == "\(Foreseen())" && stated.stated == stated)
    #expect(stated.code == Foreseen().code && stated.remedy?.actions == [.status])
  }
}

@Suite("A remedy is prose with actions in it")
struct RemedyTests {
  @Test("each action is written as the command that takes it")
  func commands() {
    let written: [(Action, String)] = [
      (.run(), "closebell run"),
      (
        .run(date: "2017-06-30", portfolio: "ACORN"),
        "closebell run --date 2017-06-30 --portfolio ACORN"
      ),
      (
        .replay(from: "2017-06-01", through: "2017-06-30"),
        "closebell replay --from 2017-06-01 --to 2017-06-30"
      ),
      (
        .replay(
          from: "2017-06-01", through: "2017-06-30", portfolio: "ACORN#7", onlyStale: true,
          maxCarriedDays: 3),
        "closebell replay --from 2017-06-01 --to 2017-06-30 --only-stale --portfolio ACORN#7 "
          + "--max-carried-days 3"
      ),
      (.unlock(month: "2017-06", portfolio: nil), "closebell unlock --month 2017-06 --reason …"),
      (
        .unlock(month: "2017-06", portfolio: "ACORN"),
        "closebell unlock --month 2017-06 --portfolio ACORN --reason …"
      ),
      (.adopt(table: "books.old"), "closebell migrate --adopt books.old"),
      (.resumeImport(nil), "closebell imports resume"),
      (.resumeImport(7), "closebell imports resume 7"),
      (.repairDuplicates(table: "books.old"), "closebell repair duplicates books.old"),
      (.setting(.home), "CLOSEBELL_HOME"), (.option(.overrideLock), "--override-lock REASON"),
    ]
    for (action, command) in written { #expect(action.command == command) }
  }

  @Test(
    "a name is one word of a shell, whatever it is",
    arguments: [
      ("A-1.b:c@d%e+f,g/h=i#7", "A-1.b:c@d%e+f,g/h=i#7"), ("Zürich", "Zürich"),
      ("A;reboot", "'A;reboot'"), ("$(reboot)", "'$(reboot)'"), ("a b", "'a b'"),
      ("it's", #"'it'\''s'"#), (#""my table""#, #"'"my table"'"#), ("#7", "'#7'"), ("", "''"),
      ("~", "'~'"), ("a\nb", #"'a\nb'"#),
    ])
  func shell(_ name: String, _ word: String) {
    #expect(Remedy(.run(portfolio: name)).text == "closebell run --portfolio " + word)
  }

  @Test("prose and actions keep their order, and the actions can be had as data")
  func parts() {
    let (number, word) = (3, "closed")
    let remedy: Remedy =
      "\(number) dates are \(word) by \(.run()); or \(.unlock(month: "2017-06", portfolio: nil))"
    #expect(
      remedy.text
        == "3 dates are closed by closebell run; or closebell unlock --month 2017-06 --reason …")
    #expect(remedy.actions == [.run(), .unlock(month: "2017-06", portfolio: nil)])
    let both = Remedy(anyOf: ["wait", Remedy(.migrate)], separator: ", or ")
    #expect(both.text == "wait, or closebell migrate" && both.actions == [.migrate])
  }
}
