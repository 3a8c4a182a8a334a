internal import Accounting
package import Postgres
internal import Storage

/// A plan of a repair as it is written, read and compared: text with digests.
///
/// Nothing in a plan's text is ever carried out. To apply it, the plan is made again from the
/// data, under a lock; if both say the same, the new one is carried out.
package struct RepairPlan: Sendable {
  /// The JSON text, digests included.
  package var text: String
  /// The digest of the whole.
  package var digest: String
  var parts: [RepairArchive.PlanPart]

  /// Writes a plan down.
  ///
  /// - Parameters:
  ///   - members: The head of the plan.
  ///   - decisions: One JSON object an element, as members.
  init(
    _ members: [(String, String)], decisions: [[(String, String)]], on db: isolated Connection
  ) throws {
    func written(_ decisions: [String], _ digest: String?) -> String {
      let end = digest.map { [("digest", PlanText.quoted($0))] } ?? []
      return PlanText.block(
        members + [("decisions", PlanText.lines(decisions, indent: "  "))] + end) + "\n"
    }
    let bare = written(decisions.map { PlanText.object($0) }, nil)
    let parts = try RepairArchive.digests(ofPlan: bare, part: "decisions", on: db).parts
    let marked = zip(decisions, parts).map { decision, part in
      PlanText.block(decision + [("digest", PlanText.quoted(part.digest))], indent: "    ")
    }
    digest = try RepairArchive.digests(ofPlan: written(marked, nil), part: "", on: db).whole
    text = written(marked, digest)
    self.parts = parts
  }

  /// A plan that was read from a file, unedited.
  ///
  /// - Throws: `RepairError.notAPlan`, or `.edited` with the parts that were.
  init(reading text: String, kind: String, on db: isolated Connection) throws {
    do {
      let recorded = try RepairArchive.recorded(inPlan: text, on: db)
      guard recorded.kind == kind, let digest = recorded.digest else {
        throw RepairError.notAPlan("its kind is \(recorded.kind ?? "not given"), not \(kind)")
      }
      let found = try RepairArchive.digests(ofPlan: text, part: "decisions", on: db)
      guard found.whole == digest else {
        let edited = found.parts.filter { $0.digest != $0.recorded }.map(\.name)
        throw RepairError.edited(
          edited.isEmpty ? ["its head, or parts were taken out or put in"] : edited)
      }
      self.text = text
      self.digest = digest
      parts = found.parts
    } catch let error as PostgresError where error.sqlState?.hasPrefix("22") == true {
      throw RepairError.notAPlan(error.message)
    }
  }

  /// The table that a plan's text is about, before anything else is believed.
  package static func table(of text: String, on db: isolated Connection) throws -> String? {
    do {
      return try RepairArchive.recorded(inPlan: text, on: db).table
    } catch let error as PostgresError where error.sqlState?.hasPrefix("22") == true {
      throw RepairError.notAPlan(error.message)
    }
  }

  /// Refuses data that this plan was not made from.
  ///
  /// - Parameters:
  ///   - now: The plan made again.
  ///   - isBegun: Whether a repair by this plan was killed, so that a part of it is done.
  func requireSame(as now: RepairPlan, orRestOf isBegun: Bool = false) throws {
    guard digest != now.digest else { return }
    let before = Dictionary(
      parts.map { (ExactText($0.name), $0.digest) }, uniquingKeysWith: { one, _ in one })
    if isBegun, now.parts.allSatisfy({ before[ExactText($0.name)] == $0.digest }) { return }
    let after = Dictionary(
      now.parts.map { (ExactText($0.name), $0.digest) }, uniquingKeysWith: { one, _ in one })
    let places = now.parts.map(\.name).filter {
      before[ExactText($0)] != after[ExactText($0)]
    }
    let gone = parts.map(\.name).filter { after[ExactText($0)] == nil }.map {
      "\($0) is not damaged any more"
    }
    throw RepairError.changed(
      places + gone.prefix(places.isEmpty ? gone.count : 3).map { $0 }
        + (places.isEmpty && gone.isEmpty ? ["rows beside the ones to be repaired"] : []))
  }
}
