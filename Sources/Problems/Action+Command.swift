extension Action {
  /// What an operator types for it.
  ///
  /// The one place that writes commands for people to type. It stands here and not in the
  /// executable, since reasons are stored in an operator's words: a slot's, an import's.
  public var command: String {
    switch self {
    case .run(let date, let portfolio):
      Self.line("run", ("--date", date), ("--portfolio", portfolio))
    case .replay(let from, let through, let portfolio, let onlyStale, let maxCarriedDays):
      Self.line("replay", ("--from", from), ("--to", through))
        + (onlyStale ? " --only-stale" : "")
        + Self.options(
          ("--portfolio", portfolio), ("--max-carried-days", maxCarriedDays.map { "\($0)" }))
    case .unlock(let month, let portfolio):
      Self.line("unlock", ("--month", month), ("--portfolio", portfolio)) + " --reason …"
    case .status: Self.line("status")
    case .resumeClaims: Self.line("resume")
    case .migrate: Self.line("migrate")
    case .migrationStatus: Self.line("migrate --status")
    case .adopt(let table): Self.line("migrate --adopt" + Self.argument(table))
    case .importFile(let kind, let source, let format):
      Self.line("import " + kind + Self.argument(source), ("--format", format))
    case .imports: Self.line("imports list")
    case .showImport(let id): Self.line("imports show \(id)")
    case .cancelImport(let id): Self.line("imports cancel \(id)")
    case .resumeImport(let id): Self.line("imports resume" + (id.map { " \($0)" } ?? ""))
    case .resumeImportOf(let id, let role):
      Self.line("imports resume \(id)", ("--requested-by", role))
    case .workImports: Self.line("imports work")
    case .workImportsOf(let role): Self.line("imports work", ("--requested-by", role))
    case .repairDuplicates(let table):
      Self.line("repair duplicates" + Self.argument(table))
    case .checkSequences: Self.line("sequences check")
    case .repairSequences: Self.line("sequences repair")
    case .stopServer: Self.line("postgres stop")
    case .setting(let setting): setting.rawValue
    case .option(let option): option.rawValue
    }
  }

  private static func line(_ command: String, _ options: (String, String?)...) -> String {
    options.reduce("closebell " + command) { $0 + Self.options($1) }
  }

  private static func options(_ options: (name: String, value: String?)...) -> String {
    options.reduce("") { text, option in
      option.value.map { "\(text) \(option.name) \(Self.quoted($0))" } ?? text
    }
  }

  /// A value as a shell takes it for one word, whoever made it up.
  public static func quoted(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { byte in
      byte >= 0x80 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "#%+,-./:=@_".utf8.contains(byte)
    }
    if isPlain, !value.isEmpty, value.utf8.first != UInt8(ascii: "#") { return value }
    return "'"
      + value.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: #"'\''"#) + "'"
  }

  /// The same behind a command, where there is one.
  private static func argument(_ value: String?) -> String {
    value.map { " " + quoted($0) } ?? ""
  }
}
