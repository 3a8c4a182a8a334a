/// Numbers as people read them; the exact ones are in `--json` and in the tables.
package enum Readable {
  /// An amount with two decimal places and grouped thousands.
  package static func money(_ units: Int128) -> String {
    let cents = (units.magnitude + 50) / 100
    let whole = String(cents / 100)
    let fraction = String(cents % 100)
    var grouped = ""
    for (index, digit) in whole.enumerated() {
      if index > 0, (whole.count - index).isMultiple(of: 3) { grouped += "," }
      grouped.append(digit)
    }
    let isNegative = units < 0 && cents > 0
    return (isNegative ? "-" : "") + grouped + "." + (fraction.count < 2 ? "0" : "") + fraction
  }

  /// The same of a double, which may be larger than any amount.
  package static func money(_ amount: Double) -> String {
    abs(amount) < 1e30 ? money(Int128(amount * 10_000)) : "\(amount)"
  }

  /// A fraction as per cent with two decimal places, or a dash.
  package static func percent(_ fraction: Double?) -> String {
    guard let fraction else { return "–" }
    let hundredths = (fraction * 10_000).rounded()
    guard abs(hundredths) < 1e15 else { return "\(fraction * 100)%" }
    return money(Int128(hundredths) * 100) + "%"
  }

  /// The whole part of a number, whatever it is: `inf` has no digits.
  package static func whole(_ value: Double) -> String {
    abs(value) < 1e18 ? String(Int(value)) : "\(value)"
  }

  /// Seconds with two decimal places.
  package static func seconds(_ value: Double) -> String {
    guard abs(value) < 1e15 else { return "\(value) s" }
    let hundredths = Int(value * 100 + 0.5)
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
  }
}
