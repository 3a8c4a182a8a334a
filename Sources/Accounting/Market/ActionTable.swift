/// The corporate actions of a market, and those among them that pass or relieve lots.
///
/// An object, so that a market that is handed round is no wider for what it hardly ever has.
final class ActionTable: Sendable {
  /// Per instrument, ascending by ex-date.
  let ofInstruments: [ID<Instrument>: [CorporateAction]]
  /// Ascending by ex-date.
  let relieving: [Relief]
  /// In the order of booking; on one date and stage what receives comes before what passes on.
  let reorganisations: [Reorganisation]

  /// An action of one instrument that relieves its lots.
  struct Relief: Sendable {
    let instrument: ID<Instrument>
    let action: CorporateAction
  }

  init(_ actions: [ID<Instrument>: [CorporateAction]]) {
    var relieving: [Relief] = []
    var reorganisations: [Reorganisation] = []
    for (instrument, list) in actions {
      for action in list where action.needsLots {
        if action.effect.isReorganisation {
          reorganisations.append(Reorganisation(source: instrument, action: action))
        } else {
          relieving.append(Relief(instrument: instrument, action: action))
        }
      }
    }
    ofInstruments = actions
    self.relieving = relieving.sorted {
      ($0.action.exDate, $0.instrument) < ($1.action.exDate, $1.instrument)
    }
    self.reorganisations = Self.inOrder(reorganisations)
  }

  /// By date and stage, and within both in the order of dependence.
  private static func inOrder(_ events: [Reorganisation]) -> [Reorganisation] {
    var rest = events.sorted { left, right in
      left.order == right.order ? left.source < right.source : left.order < right.order
    }[...]
    var result: [Reorganisation] = []
    while let first = rest.first {
      var group = Array(rest.prefix { $0.order == first.order })
      rest = rest.dropFirst(group.count)
      while !group.isEmpty {
        // What nothing else of the group passes lots to comes next; of a cycle, all is marked.
        let free = group.firstIndex { event in !group.contains { $0.passes(to: event) } }
        if free == nil { for place in group.indices { group[place].isInCycle = true } }
        result.append(group.remove(at: free ?? 0))
      }
    }
    return result
  }
}

extension Reorganisation {
  /// Whether units that it brings are units of which the other one disposes.
  fileprivate func passes(to other: Reorganisation) -> Bool {
    target == other.source && source != other.source && action.overlaps(other.action)
  }
}

/// That units of one instrument bring units of another one, on a date.
public struct UnitPassage: Hashable, Sendable {
  /// The instrument whose holders get units.
  public let source: ID<Instrument>
  /// The instrument of which they get them.
  public let target: ID<Instrument>
  /// The date on which they do.
  public let exDate: Day
}

extension Market {
  /// Everything by which units pass from one instrument to another; on most markets nothing.
  public var passages: [UnitPassage] {
    table.reorganisations.compactMap { event in
      event.target.map {
        UnitPassage(source: event.source, target: $0, exDate: event.action.exDate)
      }
    }
  }
}
