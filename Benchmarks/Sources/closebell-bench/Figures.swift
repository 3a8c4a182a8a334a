import Glibc

/// The middle of some figures.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return 0 }
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2)
    ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}

/// A figure with two decimal places.
func twoPlaces(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}

/// Writes a report where `CLOSEBELL_BENCH_JSON` says, if it does.
func writeReport(_ text: String) {
  guard let path = getenv("CLOSEBELL_BENCH_JSON") else { return }
  guard let file = fopen(path, "w") else { return }
  fputs(text, file)
  fclose(file)
}
