/// The way out of a problem: prose with the actions in it that Closebell knows.
///
/// The actions are data: a terminal shows each as a command to be typed, a page as a link. Prose
/// stands between them, since most ways out are a choice, or a condition and an action:
///
///     "stale dates are closed again by: \(.run()); or \(.replay(from: first, through: last))"
public struct Remedy: Hashable, Sendable, ExpressibleByStringInterpolation {
  /// A stretch of prose, or an action.
  public enum Part: Hashable, Sendable {
    /// Words for people, without a command.
    case prose(String)
    /// What Closebell does, or takes.
    case action(Action)
  }

  /// In the order in which they are read.
  public let parts: [Part]

  /// The actions in it, to be offered as such.
  public var actions: [Action] {
    parts.compactMap { if case .action(let action) = $0 { action } else { nil } }
  }

  /// As an operator reads it on one line, each action as the command or the option that takes it.
  public var text: String {
    parts.reduce(into: "") { text, part in
      switch part {
      case .prose(let words): text += words.onOneLine
      case .action(let action): text += action.command.onOneLine
      }
    }
  }

  /// Prose alone, as a literal.
  public init(stringLiteral value: String) { parts = [.prose(value)] }

  /// Prose with actions or values in it, as a literal.
  public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  /// Prose that was put together, or said by somebody else such as the server.
  public init(prose: String) { parts = [.prose(prose)] }

  /// An action alone.
  public init(_ action: Action) { parts = [.action(action)] }

  /// Parts as they are.
  public init(_ parts: [Part]) { self.parts = parts }

  /// Several ways out, of which one will do.
  public init(anyOf ways: [Remedy], separator: String) {
    var parts: [Part] = []
    for way in ways {
      if !parts.isEmpty { parts.append(.prose(separator)) }
      parts += way.parts
    }
    self.parts = parts
  }

  /// Collects the parts of a literal.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var parts: [Part] = []

    /// Nothing yet.
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Adds prose.
    public mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { parts.append(.prose(literal)) }
    }

    /// Adds an action.
    public mutating func appendInterpolation(_ action: Action) { parts.append(.action(action)) }

    /// Adds a value, in words.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      parts.append(.prose(value.description))
    }
  }
}

/// Something that Closebell does, or a setting or an option that it takes.
///
/// Dates are `YYYY-MM-DD`, months `YYYY-MM`, portfolios `CODE` or `CODE#ID` as they are named.
public enum Action: Hashable, Sendable {
  /// Closes what is due.
  case run(date: String? = nil, portfolio: String? = nil)
  /// Closes dates again.
  case replay(
    from: String, through: String, portfolio: String? = nil, onlyStale: Bool = false,
    maxCarriedDays: Int? = nil)
  /// Opens a month and all after it.
  case unlock(month: String, portfolio: String?)
  /// Tells what is complete, missing, stale, and which runs there were.
  case status
  /// Allows claims again.
  case resumeClaims
  /// Brings the schema up to date.
  case migrate
  /// Tells which version the schema has.
  case migrationStatus
  /// Takes a table of an earlier system over.
  case adopt(table: String?)
  /// Imports a file of a kind; nil: one to be named, as our own CSV.
  case importFile(kind: String, source: String? = nil, format: String? = nil)
  /// Lists imports.
  case imports
  /// Shows one import.
  case showImport(Int64)
  /// Stops an import.
  case cancelImport(Int64)
  /// Goes on with an import; nil: with whichever it was.
  case resumeImport(Int64?)
  /// Goes on with an import that another role asked for.
  case resumeImportOf(Int64, role: String)
  /// Imports what is queued.
  case workImports
  /// Imports what is queued, also what a role has queued that is not ours.
  case workImportsOf(role: String)
  /// Makes the slots of a table unique; nil: of a table to be named.
  case repairDuplicates(table: String?)
  /// Compares sequences with their tables.
  case checkSequences
  /// Moves sequences ahead of what is taken.
  case repairSequences
  /// Stops the private server.
  case stopServer
  /// Sets something for every command.
  case setting(Setting)
  /// Does the same again, with this option.
  case option(Option)

  /// What a variable of the environment sets.
  public enum Setting: String, Hashable, Sendable {
    case home = "CLOSEBELL_HOME"
    case leaseSeconds = "CLOSEBELL_LEASE_SECONDS"
    case lockTimeout = "CLOSEBELL_LOCK_TIMEOUT"
    case importMaxRows = "CLOSEBELL_IMPORT_MAX_ROWS"
  }

  /// A choice that a command gives.
  public enum Option: String, Hashable, Sendable {
    case background = "--background"
    case database = "--database"
    case force = "--force"
    case noCatchUp = "--no-catch-up"
    case overrideLock = "--override-lock REASON"
    case plan = "--plan"
    case yes = "--yes"
  }
}
