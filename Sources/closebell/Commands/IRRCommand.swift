public import Accounting
public import ArgumentParser
import Problems
import Console
import Glibc
import Import
import Operations
import Presentation
import Text

extension IRRConvention: ExpressibleByArgument {}

/// Internal rates of return of one's own flows; no database is touched.
struct IRRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "irr",
    abstract: "Calculates money-weighted returns (XIRR) from a CSV file of dated amounts.",
    discussion: """
      The file has the columns date and amount and, for many series at once, series; the order of \
      columns and of rows does not matter. How it is written is said as for an import. Signs are \
      those of a spreadsheet's XIRR: money paid in is negative, money received is positive, and so \
      is what the investment is worth on its last date. (With every sign turned the rate is the \
      same.) A last amount of 0 says that it is worth nothing.

      xirr_act365 is the annual rate of days ÷ 365. monthly_nominal nets the flows of a calendar \
      month and multiplies the monthly rate by 12; a value at the end of a month is dated in the \
      month after it.

      The rate is annual. Under a year that is not what was earned: the return of the whole period \
      stands beside it. Where no rate balances the flows there is none, and a status says why.

      --json prints one object a series, each on a line of its own; --database is accepted as \
      everywhere, and not looked at.

      Exit code 65 where a row cannot be used: each is named, and its series is left out, since a \
      rate of flows of which some are missing is wrong. Where nobody can tell whose a row is, \
      nothing is calculated.
      """)

  @Argument(help: "A CSV file; standard input without one, or with -.")
  var file: String?

  @Option(help: "xirr_act365 or monthly_nominal.")
  var convention: IRRConvention = .xirrAct365

  @OptionGroup var options: FileOptions

  @OptionGroup var common: CommonOptions

  func run() throws {
    let isInput = file == nil || file == "-"
    if isInput, !common.quiet, isatty(STDIN_FILENO) == 1 {
      Terminal.complain(.more, "reading date,amount from standard input, up to Control-D")
    }
    var request = ImportRequest(
      kind: .activities, source: isInput ? .standardInput : .file(file ?? "-"))
    try options.apply(to: &request)
    let flows = try FlowFile(request)
    if flows.refused > 0 { complain(flows) }
    guard !flows.names.isEmpty else { throw Ended(.badInput) }
    let rates = SeriesRates(flows, convention)
    if common.verbose {
      Terminal.complain(.more, "\(source(flows)): \(flows.days.count) flows, \(rates.count) series")
    }
    if common.json {
      for series in 0..<rates.count {
        StandardOutput.json(try JSON(encoding: rates[series]))
      }
    } else if !common.quiet {
      StandardOutput.lines(SeriesRatesText(rates).lines)
    }
    guard flows.refused == 0 else { throw Ended(.badInput) }
  }

  private func source(_ flows: FlowFile) -> String {
    flows.source == "-" ? "standard input" : flows.source
  }

  /// Names the rows at fault, and what is not calculated for want of them.
  private func complain(_ flows: FlowFile) {
    let source = source(flows)
    for row in flows.refusedRows {
      let column = row.field.map { ", \($0)" } ?? ""
      Terminal.complain(
        .error, "\(source), row \(row.row) (line \(row.line))\(column): \(row.message)")
    }
    let hidden = flows.refused - flows.refusedRows.count
    if hidden > 0 { Terminal.complain(.more, "detail: and \(hidden) more") }
    for hint in flows.hints { Terminal.complain(.more, "hint: \(hint)") }
    Terminal.complain(.more, "hint: \(outcome(flows)); mend these rows and run it again")
  }

  private func outcome(_ flows: FlowFile) -> String {
    guard !flows.names.isEmpty else { return "nothing was calculated" }
    let names = flows.leftOut.prefix(20).joined(separator: ", ")
    let more = flows.leftOut.count > 20 ? " and \(flows.leftOut.count - 20) more" : ""
    return "not calculated were: \(names)\(more)"
  }
}
