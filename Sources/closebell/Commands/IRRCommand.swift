public import Accounting
public import ArgumentParser
import Glibc
import Import
import Presentation

extension IRRConvention: ExpressibleByArgument {}

/// Internal rates of return of one's own flows; no database is touched.
struct IRRCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "irr",
    abstract: "Calculates money-weighted returns (XIRR) from a CSV file of dated amounts.",
    discussion: """
      The file has the columns date and amount and, for many series at once, series; the order of \
      columns and of rows does not matter. Signs are those of a spreadsheet's XIRR: money paid in \
      is negative, money received is positive, and so is what the investment is worth on its last \
      date. (With every sign turned the rate is the same.) A last amount of 0 says that it is \
      worth nothing.

      xirr_act365 is the annual rate of days ÷ 365. monthly_nominal nets the flows of a calendar \
      month and multiplies the monthly rate by 12; a value at the end of a month is dated in the \
      month after it.

      The rate is annual. Under a year that is not what was earned: the return of the whole period \
      stands beside it. Where no rate balances the flows there is none, and a status says why.

      --json prints one object a series, each on a line of its own; --database is accepted as \
      everywhere, and not looked at.

      Exit code 65 where the file cannot be used: each row at fault is named, and nothing is \
      calculated, since a rate of flows of which some are missing is wrong.
      """)

  @Argument(help: "A CSV file; standard input without one, or with -.")
  var file: String?

  @Option(help: "xirr_act365 or monthly_nominal.")
  var convention: IRRConvention = .xirrAct365

  @OptionGroup var common: CommonOptions

  func run() throws {
    let isInput = file == nil || file == "-"
    if isInput, !common.quiet, isatty(STDIN_FILENO) == 1 {
      Terminal.complain("reading date,amount from standard input, up to Control-D")
    }
    let flows = try FlowFile(isInput ? .standardInput : .file(file ?? "-"))
    guard flows.refused == 0 else { throw refusal(flows) }
    let results = InternalRate.solve(
      many: flows.days, amounts: flows.amounts, offsets: flows.offsets, on: .earliest,
      convention: convention)
    if common.verbose {
      Terminal.complain("\(source(flows)): \(flows.days.count) flows, \(results.count) series")
    }
    let text = SeriesRates(flows: flows, results: results, convention: convention)
    if common.json {
      text.printJSON()
    } else if !common.quiet {
      StandardOutput.line(text.table)
    }
  }

  private func source(_ flows: FlowFile) -> String {
    flows.source == "-" ? "standard input" : flows.source
  }

  private func refusal(_ flows: FlowFile) -> Failure {
    let source = source(flows)
    for row in flows.refusedRows {
      let column = row.field.map { ", \($0)" } ?? ""
      Terminal.complain(
        "error: \(source), row \(row.row) (line \(row.line))\(column): \(row.message)")
    }
    let hidden = flows.refused - flows.refusedRows.count
    if hidden > 0 { Terminal.complain("detail: and \(hidden) more") }
    Terminal.complain("hint: nothing was calculated; mend these rows and run it again")
    return Failure("", code: 65)
  }
}

/// The rates of many series, as people and programs read them.
struct SeriesRates {
  let flows: FlowFile
  let results: [IRRResult]
  let convention: IRRConvention

  /// The first and the last date of a series.
  private func period(_ series: Int) -> (first: Day, last: Day) {
    let days = flows.days[flows.offsets[series]..<flows.offsets[series + 1]]
    return (Day(number: days.min() ?? 0), Day(number: days.max() ?? 0))
  }

  /// One object a series; see `docs/irr.md`.
  func printJSON() {
    for (series, result) in results.enumerated() {
      let (first, last) = period(series)
      let members: [(String, JSON)] = [
        ("series", flows.hasNames ? .string(flows.names[series]) : .null),
        ("rate", .optional(result.rate)), ("log_growth", .optional(result.logGrowth)),
        ("status", .string(result.status.rawValue)), ("roots", .integer(result.roots)),
        ("convention", .string(convention.rawValue)),
        ("period_return", .optional(result.periodReturn)),
        ("first_date", .string(first.description)), ("last_date", .string(last.description)),
        ("flows", .integer(flows.offsets[series + 1] - flows.offsets[series])),
      ]
      StandardOutput.json(JSON.object(members))
    }
  }

  /// A row a series; whether the column of names is there depends on the file.
  var table: String {
    var table = TextTable(
      (flows.hasNames ? [("series", .left)] : []) + [
        ("annual rate", .right), ("whole period", .right), ("from", .left), ("to", .left),
        ("flows", .right), ("status", .left),
      ])
    for (series, result) in results.enumerated() {
      let (first, last) = period(series)
      let status =
        result.status == .severalRoots
        ? "\(result.status.rawValue) (\(result.roots))" : result.status.rawValue
      table.add(
        (flows.hasNames ? [flows.names[series]] : []) + [
          Self.percent(result.rate), Self.percent(result.periodReturn), first.description,
          last.description, String(flows.offsets[series + 1] - flows.offsets[series]), status,
        ])
    }
    return table.text
  }

  /// A fraction as per cent with four decimal places: what a spreadsheet is compared with.
  static func percent(_ fraction: Double?) -> String {
    guard let fraction else { return "–" }
    let units = (fraction * 1e6).rounded()
    guard abs(units) < 1e15 else { return "\(fraction * 100)%" }
    let magnitude = Int(abs(units))
    let decimals = String(magnitude % 10_000)
    let zeros = String(repeating: "0", count: 4 - decimals.count)
    return "\(units < 0 ? "-" : "")\(magnitude / 10_000).\(zeros)\(decimals)%"
  }
}
