/// The codes by which PostgreSQL classifies failures, as far as this house asks for them.
///
/// Named as in PostgreSQL's own list; the first two characters are the class.
package enum SQLState {
  package static let featureNotSupported = "0A000"
  package static let connectionFailure = "08006"
  package static let cannotConnect = "08001"
  package static let transactionResolutionUnknown = "08007"
  package static let sequenceLimitExceeded = "2200H"
  package static let cardinalityViolation = "21000"
  package static let invalidParameterValue = "22023"
  package static let uniqueViolation = "23505"
  package static let readOnlyTransaction = "25006"
  package static let failedTransaction = "25P02"
  package static let idleInTransactionTimeout = "25P03"
  package static let transactionTimeout = "25P04"
  package static let invalidAuthorization = "28000"
  package static let invalidPassword = "28P01"
  package static let invalidCatalogName = "3D000"
  package static let invalidSchemaName = "3F000"
  package static let serializationFailure = "40001"
  package static let statementCompletionUnknown = "40003"
  package static let deadlockDetected = "40P01"
  package static let insufficientPrivilege = "42501"
  package static let syntaxError = "42601"
  package static let invalidName = "42602"
  package static let undefinedColumn = "42703"
  package static let undefinedObject = "42704"
  package static let undefinedTable = "42P01"
  package static let diskFull = "53100"
  package static let tooManyConnections = "53300"
  package static let configurationLimitExceeded = "53400"
  package static let lockNotAvailable = "55P03"
  package static let queryCanceled = "57014"
  package static let adminShutdown = "57P01"
  package static let crashShutdown = "57P02"
  package static let cannotConnectNow = "57P03"
  package static let idleSessionTimeout = "57P05"
  package static let configFileError = "F0000"
  package static let internalError = "XX000"

  /// Failures that pass.
  ///
  /// Out of memory and a full disk are left out on purpose.
  static let passing: Set<String> = [
    serializationFailure, deadlockDetected, lockNotAvailable, adminShutdown, crashShutdown,
    cannotConnectNow, idleSessionTimeout, idleInTransactionTimeout, transactionTimeout,
    tooManyConnections,
  ]
}
