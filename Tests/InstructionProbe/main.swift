import Glibc
import Workloads

// instruction-probe KERNEL ROUNDS: works through a workload so many times; under a counter the
// difference of two numbers of rounds is what one of them takes.

let arguments = CommandLine.arguments
guard arguments.count == 3, let rounds = Int(arguments[2]) else {
  fatalError("usage: instruction-probe KERNEL ROUNDS")
}

/// Runs a workload, once and then `rounds` times.
func repeated(_ body: () -> Double) {
  var sum = body()
  for _ in 0..<rounds { sum += body() }
  if sum.isNaN { exit(1) }
}

let words = arguments[1].split(separator: "-")
switch (words[0], Int(words.last ?? "")) {
case ("cold", let flows?):
  let plans = SavingsPlans(flows: flows)
  repeated { plans.solve() }
case ("warm", let flows?):
  let plans = ResumedPlans(flows: flows)
  repeated { plans.solve() }
case ("night", _):
  guard let quiet = QuietPortfolios(isForeign: words.last == "foreign") else {
    fatalError("no portfolios")
  }
  repeated { quiet.run(nights: 1) }
case ("explain", let trades?):
  guard let window = LongWindow(trades: trades), window.explain() == Double(trades) else {
    fatalError("not every trade is told")
  }
  repeated { window.explain() }
case ("sales", let lots?):
  guard let book = ManyLots(lots: lots) else { fatalError("no book") }
  repeated { book.close() }
default: fatalError("no kernel \(arguments[1])")
}
