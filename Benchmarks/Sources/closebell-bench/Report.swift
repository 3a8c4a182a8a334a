extension Bench {
  func report(
    _ importing: MeasuredCommand, _ first: MeasuredCommand, _ nights: [MeasuredCommand],
    _ floors: [Double], _ again: MeasuredCommand, _ digest: String
  ) {
    let night = median(nights.map(\.seconds))
    let floor = median(floors)
    let ratio = median(zip(nights, floors).map { $0.seconds / $1 })
    let peak = ([importing, first] + nights).map(\.peakMegabytes).max() ?? 0
    print("\(portfolios) portfolios × 10 holdings × 60 months, \(pairs) alternating pairs, medians")
    row("floor: PostgreSQL only copying, plain tables", floor, slots: true)
    row("night, whole process, 2 workers", night, slots: true)
    print(
      padded("night / floor") + "\(twoPlaces(ratio)) ×   (least "
        + "\(twoPlaces(zip(nights, floors).map { $0.seconds / $1 }.min() ?? 0)), most "
        + "\(twoPlaces(zip(nights, floors).map { $0.seconds / $1 }.max() ?? 0)))")
    row("night again, nothing to do", again.seconds, slots: false)
    row("first close, 60 months of activities", first.seconds, slots: true)
    row("import, all files", importing.seconds, slots: false)
    print(padded("peak memory of the process") + "\(twoPlaces(peak)) MB")
    print(padded("digest") + digest)
    writeJSON(night: night, floor: floor, ratio: ratio, peak: peak, digest: digest)
  }

  private func row(_ name: String, _ seconds: Double, slots: Bool) {
    var text = padded(name) + "\(twoPlaces(seconds * 1_000)) ms"
    if slots {
      let each = seconds / Double(portfolios)
      text += "   \(twoPlaces(each * 1e6)) µs a slot, \(Int(1 / each)) slots/s"
    }
    print(text)
  }

  private func writeJSON(
    night: Double, floor: Double, ratio: Double, peak: Double, digest: String
  ) {
    let text = """
      {"portfolios":\(portfolios),"pairs":\(pairs),"night_seconds":\(night),\
      "floor_seconds":\(floor),"ratio":\(ratio),"peak_megabytes":\(peak),"digest":"\(digest)"}

      """
    writeReport(text)
  }

  private func padded(_ name: String) -> String {
    name + String(repeating: " ", count: max(1, 46 - name.count))
  }
}
