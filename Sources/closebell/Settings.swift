import Import
import Postgres

/// What the environment sets, read once and strictly.
///
/// A variable that cannot be read ends the program before it has done anything, even where an
/// option or the command makes it needless: a limit that is not the one that was meant is found at
/// night. An empty variable counts as unset.
struct Settings: Sendable {
  var databaseURL: String?
  var home: String?
  var workers = 2
  var chunk = 500
  var lease = TimeSpan(seconds: 120)
  var maxCatchUp = 10
  var importBatchSize = ImportRequest.defaultBatchSize
  var importMaxRows: Int?
  var importTimeout: TimeSpan?
  var importBackgroundThreshold: ByteCount?
  var logFormat = LogFormat.text
  var metricsFile: String?
  var connectTimeout = TimeSpan(seconds: 10)
  var statementTimeout = TimeSpan(seconds: 0)
  var lockTimeout = TimeSpan(seconds: 30)

  /// Those that this process began with.
  @TaskLocal static var current = Settings()

  /// The defaults.
  init() {}

  /// Reads the environment.
  ///
  /// - Parameters:
  ///   - environment: Variables by name; nil for a value that is no text.
  ///   - objections: Gains a message for each variable that cannot be read.
  init(_ environment: [String: String?], objections: inout [String]) {
    var reader = EnvironmentReader(environment: environment)
    databaseURL = reader.value(Variables.databaseURL)
    home = reader.value(Variables.home)
    workers = reader.value(Variables.workers) ?? workers
    chunk = reader.value(Variables.chunk) ?? chunk
    lease = reader.value(Variables.lease) ?? lease
    maxCatchUp = reader.value(Variables.maxCatchUp) ?? maxCatchUp
    importBatchSize = reader.value(Variables.importBatchSize) ?? importBatchSize
    importMaxRows = reader.value(Variables.importMaxRows)
    let importLimit = reader.value(Variables.importTimeout)
    importTimeout = importLimit?.milliseconds == 0 ? nil : importLimit
    importBackgroundThreshold = reader.value(Variables.importBackgroundThreshold)
    logFormat = reader.value(Variables.logFormat) ?? logFormat
    metricsFile = reader.value(Variables.metricsFile)
    connectTimeout = reader.value(Variables.connectTimeout) ?? connectTimeout
    statementTimeout = reader.value(Variables.statementTimeout) ?? statementTimeout
    lockTimeout = reader.value(Variables.lockTimeout) ?? lockTimeout
    reader.refuseFault()
    objections += reader.objections
  }
}

/// Takes variables out of an environment, and keeps what was wrong with them.
private struct EnvironmentReader {
  let environment: [String: String?]
  var objections: [String] = []

  mutating func value<Value>(_ variable: Variable<Value>) -> Value? {
    guard let text = text(variable.name), !text.isEmpty else { return nil }
    guard variable.reading.isSecret || !Configuration.isLikeConnectionString(text) else {
      let place = Variables.databaseURL.name
      objections.append(
        "\(variable.name) takes \(variable.reading.takes); a connection string belongs in \(place)")
      return nil
    }
    if let value = variable.reading.read(text) { return value }
    objections.append("\(variable.name) \(variable.reading.objection(to: text))")
    return nil
  }

  private mutating func text(_ name: String) -> String? {
    guard let text = environment[name] else { return nil }
    if text == nil { objections.append("\(name) is not valid UTF-8") }
    return text
  }

  /// A plan of failures that is none would be a test of nothing.
  mutating func refuseFault() {
    guard let name = FaultPlan.variable, let text = text(name), !text.isEmpty else { return }
    if FaultPlan(text) == nil { objections.append("\(name) takes a fault such as 7:kill") }
  }
}

/// Variables that look like settings and are none.
enum StrangeVariables {
  /// A warning for each; a typo must not be silent.
  static func warnings(_ names: some Sequence<String>) -> [LogLine] {
    let known = Variables.all.map(\.name)
    let strange = names.filter { $0.hasPrefix(Variables.prefix) && !known.contains($0) }
    return strange.filter { !isOfOthers($0) }.sorted().map { name in
      let near = known.map { ($0, distance($0, name)) }.min { $0.1 < $1.1 }
      return LogLine(
        .warning, "\(Quoted.short(name)) is no setting, and has no effect",
        hint: near.flatMap { $0.1 <= max(2, $0.0.utf8.count / 5) ? "\($0.0)?" : nil })
    }
  }

  /// What the tests and the benchmarks are told, and what Kubernetes tells every container about a
  /// service by the name of closebell: its address, under many names.
  private static func isOfOthers(_ name: String) -> Bool {
    let ours = ["CLOSEBELL_TEST_", "CLOSEBELL_BENCH_", "CLOSEBELL_CHAOS"]
    if ours.contains(where: name.hasPrefix) || name == FaultPlan.variable { return true }
    return name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
      || name == "CLOSEBELL_PORT" || name.hasSuffix("_PORT")
      || name.contains("_TCP") || name.contains("_UDP")
  }

  /// How many letters have to be put in, taken out or changed (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8.prefix(100)))
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
