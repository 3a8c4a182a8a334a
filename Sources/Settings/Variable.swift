package import Console
import Import
import Postgres

/// A variable of the environment that sets something: the one place where it is described.
package struct Variable<Value: Sendable>: Sendable {
  /// Without the prefix that all have.
  let shortName: String
  /// How it is read.
  package let reading: Reading<Value>
  /// What holds where it is not set, in words for the documentation.
  package let standard: String
  /// What it sets, in words for the documentation.
  package let meaning: String

  package init(
    _ shortName: String, _ reading: Reading<Value>, else standard: String, _ meaning: String
  ) {
    self.shortName = shortName
    self.reading = reading
    self.standard = standard
    self.meaning = meaning
  }

  /// As it stands in the environment.
  package var name: String { Variables.prefix + shortName }

  /// The variable as `docs/operations.md` has it.
  package var described: DescribedVariable {
    DescribedVariable(name: name, takes: reading.takes, standard: standard, meaning: meaning)
  }
}

/// A variable as it is documented.
package struct DescribedVariable: Sendable {
  package let name: String
  package let takes: String
  package let standard: String
  package let meaning: String

  /// A row of the table in `docs/operations.md`.
  package var markdown: String { "| `\(name)` | \(takes) | \(standard) | \(meaning) |" }
}

/// Every variable that there is.
package enum Variables {
  package static let prefix = "CLOSEBELL_"

  package static let databaseURL = Variable(
    "DATABASE_URL",
    Reading(takes: "a connection string", isSecret: true) { text in
      Configuration.objection(to: text) == nil ? text : nil
    }, else: "see above", "where the books are")
  package static let home = Variable(
    "HOME", .wholePath("a folder by its whole path"), else: "see above",
    "where the private cluster lives")
  package static let workers = Variable(
    "WORKERS", .whole(1...64), else: "2", "workers of a run, one connection each")
  package static let chunk = Variable(
    "CHUNK", .whole(1...100_000), else: "500", "portfolios that a worker takes at a time")
  package static let lease = Variable(
    "LEASE_SECONDS", .duration(TimeSpan(seconds: 1)...TimeSpan(seconds: 7 * 86_400)), else: "120s",
    "how long a run that gave no sign of life keeps its slots")
  package static let maxCatchUp = Variable(
    "MAX_CATCH_UP", .whole(1...100_000), else: "10", "most dates of a portfolio that one run closes"
  )
  package static let importBatchSize = Variable(
    "IMPORT_BATCH_SIZE", .whole(1...ImportRequest.largestBatchSize),
    else: "\(ImportRequest.defaultBatchSize)", "rows a transaction of an import")
  package static let importMaxRows = Variable(
    "IMPORT_MAX_ROWS", .whole(1...1_000_000_000_000), else: "no limit",
    "most rows of a file; see [import](import.md)")
  package static let importTimeout = Variable(
    "IMPORT_TIMEOUT", .duration(TimeSpan(milliseconds: 1)...TimeSpan.longest, zero: "no limit"),
    else: "no limit", "after so long an import stops, to be resumed")
  package static let importBackgroundThreshold = Variable(
    "IMPORT_BACKGROUND_THRESHOLD", .bytes, else: "none",
    "larger files are queued for `closebell imports work`")
  package static let logFormat = Variable(
    "LOG_FORMAT", Reading<LogFormat>.word, else: "text",
    """
    `json`: messages on standard error as one JSON object a line (`ts level message`, and `hint \
    detail sqlstate code` where there are any); `--log-format` wins
    """)
  package static let metricsFile = Variable(
    "METRICS_FILE", .text("a file"), else: "none",
    """
    for Prometheus' textfile collector, written anew at the end of each `run`; a regular file, or \
    a warning
    """)
  package static let connectTimeout = Variable(
    "CONNECT_TIMEOUT",
    .duration(TimeSpan(milliseconds: 1)...TimeSpan(seconds: 86_400), zero: "no limit"), else: "10s",
    "how long each host is tried, in whole seconds; `connect_timeout` and `PGCONNECT_TIMEOUT` win")
  package static let statementTimeout = Variable(
    "STATEMENT_TIMEOUT", .duration(serverTimes, zero: "no limit"), else: "no limit",
    "how long one statement may take")
  package static let lockTimeout = Variable(
    "LOCK_TIMEOUT", .duration(serverTimes, zero: "no limit"), else: "30s",
    "how long one may wait for a lock; then 75 with the session that holds it")

  /// The server counts milliseconds in 32 bits.
  private static let serverTimes =
    TimeSpan(milliseconds: 1)...TimeSpan(seconds: 24 * 86_400)

  /// In the order of the documentation.
  package static let all: [DescribedVariable] = [
    databaseURL.described, home.described, workers.described, chunk.described, lease.described,
    maxCatchUp.described, importBatchSize.described, importMaxRows.described,
    importTimeout.described, importBackgroundThreshold.described, logFormat.described,
    metricsFile.described, connectTimeout.described, statementTimeout.described,
    lockTimeout.described,
  ]
}
