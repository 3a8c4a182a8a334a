import Accounting
import Foundation

/// The text of a file of facts under Fixtures/cases.
func referenceText(_ name: String) throws -> String {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  return try String(
    contentsOf: root.appendingPathComponent("Fixtures/cases/\(name)"), encoding: .utf8)
}

/// A file of facts under Fixtures/cases: one JSON object a line.
func referenceCases(_ name: String) throws -> [[String: Any]] {
  let text = try referenceText(name)
  return try text.split(separator: "\n").map { line in
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    guard let fields = object as? [String: Any] else { throw CocoaError(.coderReadCorrupt) }
    return fields
  }
}

/// A series with every root that a high-precision solver found, as log growth.
struct ReferenceSeries {
  let id: String
  let flows: [DatedFlow]
  let growths: [Double]
  /// The rate that the source gives, where its day count is ours.
  let expected: Double?
  let tolerance: Double

  init?(_ fields: [String: Any]) {
    guard let id = fields["id"] as? String else { return nil }
    self.id = id
    if let dated = fields["flows"] as? [[Any]] {
      flows = dated.compactMap { pair in
        guard let text = pair.first as? String, let day = Day(text),
          let amount = pair.last as? NSNumber
        else { return nil }
        return DatedFlow(day: day, amount: amount.doubleValue)
      }
      guard flows.count == dated.count else { return nil }
    } else if let amounts = fields["amounts"] as? [NSNumber] {
      flows = amounts.enumerated().map {
        DatedFlow(day: Day(number: Int32($0 * 365)), amount: $1.doubleValue)
      }
    } else {
      return nil
    }
    let rates =
      (fields["roots"] as? [NSNumber]) ?? (fields["root"] as? NSNumber).map { [$0] } ?? []
    let growths = (fields["ln1p_roots"] as? [NSNumber])?.map(\.doubleValue)
    let factor: Double
    switch fields["day_count"] as? String {
    case nil: factor = 1
    case "act/360": factor = 365.0 / 360
    default: return nil  // 30/360 and act/act cannot be turned into act/365
    }
    self.growths = (growths ?? rates.map { log1p($0.doubleValue) }).map { $0 * factor }
    let isOurs = factor == 1 && fields["dubious"] == nil
    expected = isOurs ? (fields["expected"] as? NSNumber)?.doubleValue : nil
    tolerance = (fields["tol"] as? NSNumber)?.doubleValue ?? 1e-9
  }

  /// The root that our rule picks: the nearest to zero growth.
  var chosen: Double? { growths.min { abs($0) < abs($1) } }
}

/// Dated and periodic cases together.
func allReferenceSeries() throws -> [ReferenceSeries] {
  try (referenceCases("xirr.jsonl") + referenceCases("irr_periodic.jsonl"))
    .compactMap(ReferenceSeries.init)
}
