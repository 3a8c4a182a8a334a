package import Console
import Import
import Postgres

/// What the environment sets, read once and strictly.
///
/// A variable that cannot be read ends the program before it has done anything, even where an
/// option or the command makes it needless: a limit that is not the one that was meant is found at
/// night. An empty variable counts as unset.
package struct Settings: Sendable {
  package var databaseURL: String?
  package var home: String?
  package var workers = 2
  package var chunk = 500
  package var lease = TimeSpan(seconds: 120)
  package var maxCatchUp = 10
  package var importBatchSize = ImportRequest.defaultBatchSize
  package var importMaxRows: Int?
  package var importTimeout: TimeSpan?
  package var importBackgroundThreshold: ByteCount?
  package var logFormat = LogFormat.text
  package var metricsFile: String?
  package var connectTimeout = TimeSpan(seconds: 10)
  package var statementTimeout = TimeSpan(seconds: 0)
  package var lockTimeout = TimeSpan(seconds: 30)

  /// Those that this process began with.
  @TaskLocal package static var current = Settings()

  /// The defaults.
  package init() {}

  /// Reads the environment.
  ///
  /// - Parameters:
  ///   - environment: Variables by name; nil for a value that is no text.
  ///   - objections: Gains a message for each variable that cannot be read.
  package init(_ environment: [String: String?], objections: inout [String]) {
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
