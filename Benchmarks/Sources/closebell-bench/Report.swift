/// The night as a script did it.
struct Peer {
  var seconds: Double
  var digest: String
}

/// What was measured.
struct Figures {
  var importing = MeasuredCommand()
  var firsts: [MeasuredCommand] = []
  /// The first close's inputs copied out and its rows copied in, into empty tables.
  var firstFloors: [Double] = []
  /// The night once more, when nothing is left to do.
  var again: [MeasuredCommand] = []
  /// The night computed again over its opening, and compared.
  var verified: [MeasuredCommand] = []
  var nights: [MeasuredCommand] = []
  /// Processor time of the server, a value for each night.
  var serverSeconds: [Double] = []
  var floors: [Double] = []
  var ownFloors: [Double] = []
  var peer: Peer?
  /// A further night, by what the server did.
  var profile: [StatementProfile.Part] = []
  var sweeps: Sweeps?
  var digest = ""

  var night: Double { median(nights.map(\.seconds)) }

  /// The nights divided by what was measured beside each.
  func ratios(to floors: [Double]) -> [Double] { zip(nights, floors).map { $0.seconds / $1 } }

  /// Of two processors, how much the night and the server kept busy.
  var busy: Double {
    median(zip(nights, serverSeconds).map { ($0.cpuSeconds + $1) / (2 * $0.seconds) })
  }
}

extension Bench {
  func report(_ figures: Figures) {
    print(
      "\(portfolios) portfolios × 10 holdings × \(months) months, \(history) dates of history, "
        + "\(pairs) alternating pairs, medians")
    row("floor: PostgreSQL only copying, plain tables", median(figures.floors), slots: portfolios)
    row("floor: the same into our own tables", median(figures.ownFloors), slots: portfolios)
    row("night, whole process, 2 workers", figures.night, slots: portfolios)
    ratio("night / floor", figures.ratios(to: figures.floors))
    ratio("night / floor of our own tables", figures.ratios(to: figures.ownFloors))
    if let peer = figures.peer {
      row("a script: sets, COPY, pyxirr", peer.seconds, slots: portfolios)
      print(padded("its digest") + (peer.digest == figures.digest ? "the same" : peer.digest))
    } else {
      print(padded("a script: sets, COPY, pyxirr") + "psycopg and pyxirr are not installed")
    }
    let process = median(figures.nights.map(\.cpuSeconds))
    row("processor time of the process", process, slots: portfolios)
    row("processor time of the server", median(figures.serverSeconds), slots: portfolios)
    print(padded("both processors busy") + "\(Int(figures.busy * 100)) %")
    row("night again, nothing to do", median(figures.again.map(\.seconds)), slots: nil)
    let verified = median(figures.verified.map(\.seconds))
    row("night verified, its opening trusted", verified, slots: portfolios)
    let first = median(figures.firsts.map(\.seconds))
    row(
      "first close, \(months) months, median of \(figures.firsts.count)", first, slots: portfolios)
    row("floor: its inputs out, its rows in", median(figures.firstFloors), slots: portfolios)
    ratio("first close / floor", zip(figures.firsts, figures.firstFloors).map { $0.seconds / $1 })
    row("import, all files", figures.importing.seconds, slots: nil)
    if let sweeps = figures.sweeps { report(sweeps, night: figures.night) }
    report(figures.profile)
    print(padded("peak memory of the process") + "\(twoPlaces(peak(figures))) MB")
    print(padded("digest") + figures.digest)
    writeJSON(figures)
  }

  /// The dearest statements of both workers together.
  private func report(_ profile: [StatementProfile.Part]) {
    let shown = profile.prefix(12)
    print("of the server's time in a night that it logged:")
    for part in shown {
      print(padded("  \(part.count) × \(part.name)") + "\(twoPlaces(part.milliseconds)) ms")
    }
    let rest = profile.dropFirst(shown.count).reduce(0) { $0 + $1.milliseconds }
    print(padded("  everything else") + "\(twoPlaces(rest)) ms")
  }

  private func peak(_ figures: Figures) -> Double {
    var commands = figures.nights + figures.firsts + [figures.importing]
    if let sweeps = figures.sweeps { commands += sweeps.commands }
    return commands.map(\.peakMegabytes).max() ?? 0
  }

  func row(_ name: String, _ seconds: Double, slots: Int?) {
    var text = padded(name) + "\(twoPlaces(seconds * 1_000)) ms"
    if let slots, slots > 0, seconds > 0 {
      let each = seconds / Double(slots)
      text += "   \(twoPlaces(each * 1e6)) µs a slot, \(Int(1 / each)) slots/s"
    }
    print(text)
  }

  func ratio(_ name: String, _ values: [Double]) {
    print(
      padded(name) + "\(twoPlaces(median(values))) ×   (least \(twoPlaces(values.min() ?? 0)), "
        + "most \(twoPlaces(values.max() ?? 0)))")
  }

  private func writeJSON(_ figures: Figures) {
    var text = """
      {"portfolios":\(portfolios),"months":\(months),"pairs":\(pairs),"history":\(history),\
      "night_seconds":\(figures.night),"floor_seconds":\(median(figures.floors)),\
      "own_floor_seconds":\(median(figures.ownFloors)),\
      "ratio":\(median(figures.ratios(to: figures.floors))),\
      "own_ratio":\(median(figures.ratios(to: figures.ownFloors))),\
      "process_cpu_seconds":\(median(figures.nights.map(\.cpuSeconds))),\
      "server_cpu_seconds":\(median(figures.serverSeconds)),"busy":\(figures.busy),\
      "nothing_to_do_seconds":\(median(figures.again.map(\.seconds))),\
      "verify_night_seconds":\(median(figures.verified.map(\.seconds))),\
      "first_close_seconds":\(median(figures.firsts.map(\.seconds))),\
      "first_close_floor_seconds":\(median(figures.firstFloors)),\
      "import_seconds":\(figures.importing.seconds),"peak_megabytes":\(peak(figures)),
      """
    if let peer = figures.peer { text += "\"script_seconds\":\(peer.seconds)," }
    if let sweeps = figures.sweeps { text += sweeps.json }
    writeReport(text + "\"digest\":\"\(figures.digest)\"}\n")
  }

  func padded(_ name: String) -> String {
    name + String(repeating: " ", count: max(1, 46 - name.count))
  }
}
