internal import CLibPQ

extension Session {
  /// Connects and sets up the session, blocking meanwhile.
  static func open(_ configuration: Configuration) throws -> Session {
    let settings = configuration.parsed
    guard configuration.objection == nil, let settings else {
      throw PostgresError(
        .connectFailed, configuration.objection ?? "the connection string cannot be parsed",
        hint: "expected is \(Configuration.forms)", sqlState: nil, reachedServer: true)
    }
    let fault = configuration.faultPlan?.next("connect")
    if fault == .kill { pq_kill_self() }
    if fault == .stop { pq_stop_self() }
    if let fault, ![.killAfterSend, .stop, .stopInCopy].contains(fault) {
      throw injectedRefusal(fault)
    }
    let notices = NoticeSink(configuration.onNotice)
    var connecting = Connecting(configuration.parameters(settings), notices: notices)
    let handle = try connecting.connect()
    if fault == .killAfterSend { pq_kill_self() }
    if let exposure = Exposure(handle)?.notice { configuration.onExposure?(exposure) }
    guard PQstatus(handle) == CONNECTION_OK else {
      defer { PQfinish(handle) }
      throw connectFailure(handle, connecting.reason(handle))
    }
    let session = Session(handle: handle, notices: notices, configuration: configuration)
    try session.applySettings(configuration)
    return session
  }

  /// Applies the session's settings in one statement, skipping those the server does not know.
  private func applySettings(_ configuration: Configuration) throws {
    let call = Call(name: "session settings", isInterruptible: false)
    let sql = Self.settingsSQL(configuration.sessionSettings)
    _ = try exchange(call) { PQsendQuery(handle, sql) }
    // Where the platform has no such check the server refuses the setting; then go without.
    let check = Self.settingsSQL([("client_connection_check_interval", "500ms")])
    let optional = Call(name: "client connection check", isInterruptible: false)
    do {
      _ = try exchange(optional) { PQsendQuery(handle, check) }
    } catch let error as PostgresError where error.kind == .server && !isReplaced {
    }
  }

  private static func settingsSQL(_ settings: [(name: String, value: String)]) -> String {
    let rows = settings.map { "('\($0.name)', '\($0.value)')" }.joined(separator: ", ")
    return """
      select pg_catalog.set_config(s.name, s.value, false)
      from (values \(rows)) as s (name, value)
      where pg_catalog.current_setting(s.name, true) is not null
      """
  }

  // MARK: failures

  private static func injectedRefusal(_ fault: FaultPlan.Fault) -> PostgresError {
    PostgresError(
      .connectFailed, "injected fault",
      sqlState: fault == .serverError ? SQLState.tooManyConnections : SQLState.cannotConnect,
      statementName: "connect")
  }

  /// Names host, user and database; a password never appears.
  private static func connectFailure(
    _ handle: OpaquePointer, _ reason: String
  ) -> PostgresError {
    var text = reason
    if let password = PQpass(handle), password.pointee != 0 {
      text = text.replacing(String(cString: password), with: "***")
    }
    let host = PQhost(handle).map { String(cString: $0) } ?? ""
    let port = PQport(handle).map { String(cString: $0) } ?? ""
    let user = PQuser(handle).map { String(cString: $0) } ?? ""
    let database = PQdb(handle).map { String(cString: $0) } ?? ""
    let isAnswer = text.contains("FATAL:") || PQconnectionNeedsPassword(handle) == 1
    var error = PostgresError(
      .connectFailed,
      "cannot connect to database \"\(database)\" as user \"\(user)\" on \(host):\(port)",
      detail: text, sqlState: inferredState(text), reachedServer: isAnswer)
    if ["session is read-only", "server is in hot standby mode"].contains(where: text.contains) {
      error.message = "the server on \(host):\(port) may only be read, in database \"\(database)\""
      error.hint = PostgresError.wayToWrite
    }
    if PQconnectionNeedsPassword(handle) == 1 {
      error.sqlState = SQLState.invalidPassword
      error.hint = "put the password into the password file (~/.pgpass, or PGPASSFILE)"
    }
    return error
  }

  /// libpq keeps the code of a refused connection to itself; these texts are the server's own.
  private static func inferredState(_ text: String) -> String? {
    let known: [(String, String)] = [
      ("password authentication failed", SQLState.invalidPassword),
      ("no pg_hba.conf entry", SQLState.invalidAuthorization),
      ("authentication failed", SQLState.invalidAuthorization),
      ("too many clients", SQLState.tooManyConnections),
      ("too many connections", SQLState.tooManyConnections),
      ("remaining connection slots", SQLState.tooManyConnections),
      ("is starting up", SQLState.cannotConnectNow),
      ("is shutting down", SQLState.cannotConnectNow),
      ("in recovery mode", SQLState.cannotConnectNow),
      ("not accepting connections", SQLState.cannotConnectNow),
      ("FATAL:  invalid value for parameter", SQLState.invalidParameterValue),
      ("FATAL:  unrecognized configuration parameter", SQLState.undefinedObject),
      ("FATAL:  permission denied to set", SQLState.insufficientPrivilege),
      ("FATAL:  invalid command-line argument", SQLState.syntaxError),
    ]
    let ofLibpq = [
      "definition of service", "service file", "invalid integer value", "invalid port number",
      "invalid sslmode value", "invalid gssencmode value", "invalid channel_binding value",
      "invalid target_session_attrs value", "invalid require_auth", "invalid ssl_",
      "could not match",
    ]
    if let match = known.first(where: { text.contains($0.0) }) { return match.1 }
    if !text.contains("FATAL:"), ofLibpq.contains(where: text.contains) {
      return SQLState.configFileError
    }
    if text.contains("FATAL:"), text.contains("does not exist") {
      return text.contains("database \"")
        ? SQLState.invalidCatalogName : SQLState.invalidAuthorization
    }
    return text.contains("FATAL:") ? nil : SQLState.cannotConnect
  }
}

/// A list of C strings that ends in NULL, as libpq takes it.
func withCStrings<R>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws -> R
) rethrows -> R {
  var bytes: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(bytes.count)
    bytes += string.utf8CString
  }
  return try bytes.withUnsafeBufferPointer { bytes in
    var pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
    pointers.append(nil)
    return try pointers.withUnsafeBufferPointer { pointers in
      guard let start = pointers.baseAddress else { preconditionFailure("never empty") }
      return try body(start)
    }
  }
}
