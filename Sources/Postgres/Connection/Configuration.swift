internal import CLibPQ

/// Where and how to connect, and the limits under which a session lives.
///
/// What the connection string leaves open libpq takes from its usual places: the environment
/// (`PGHOST`, `PGDATABASE`, …), the service file and the password file.
public struct Configuration: Sendable {
  /// Keywords and values, a URL, or the name of a database; see libpq's "Connection Strings".
  public var conninfo: String
  /// The name under which the session appears in `pg_stat_activity`.
  public var applicationName: String
  /// How long to try each host, unless the connection string says otherwise.
  public var connectTimeoutSeconds: Int
  /// How long one statement may take; 0 for ever.
  public var statementTimeoutMilliseconds: Int
  /// How long one statement may wait for a lock; 0 for ever.
  public var lockTimeoutMilliseconds: Int
  /// How long a transaction may sit idle before the server ends the session; 0 for ever.
  public var idleInTransactionTimeoutMilliseconds: Int
  /// Whether a server that may only be read will do, such as a standby.
  ///
  /// Otherwise one that may be written is looked for among the hosts of the connection string,
  /// unless that says by `target_session_attrs` what it wants.
  public var mayBeReadOnly = false
  /// Receives the server's notices and warnings; on the connection's queue.
  ///
  /// Without one they are dropped. Nothing is ever written to standard error.
  public var onNotice: (@Sendable (Notice) -> Void)?
  /// Receives what this module has to say of how the connection was made: a password that may have
  /// gone in clear, a server that nobody verified; on the connection's queue.
  ///
  /// Without one they are dropped.
  public var onExposure: (@Sendable (Notice) -> Void)?
  /// Failures planned for tests.
  package var faultPlan: FaultPlan?

  /// A configuration; whether it is right shows when it is used to connect.
  public init(
    conninfo: String = "", applicationName: String, connectTimeoutSeconds: Int = 10,
    statementTimeoutMilliseconds: Int = 0, lockTimeoutMilliseconds: Int = 30_000,
    idleInTransactionTimeoutMilliseconds: Int = 300_000,
    onNotice: (@Sendable (Notice) -> Void)? = nil,
    onExposure: (@Sendable (Notice) -> Void)? = nil
  ) {
    self.conninfo = conninfo
    self.applicationName = applicationName
    self.connectTimeoutSeconds = connectTimeoutSeconds
    self.statementTimeoutMilliseconds = statementTimeoutMilliseconds
    self.lockTimeoutMilliseconds = lockTimeoutMilliseconds
    self.idleInTransactionTimeoutMilliseconds = idleInTransactionTimeoutMilliseconds
    self.onNotice = onNotice
    self.onExposure = onExposure
    faultPlan = FaultPlan.ofEnvironment
  }

  /// Why nothing may be sent anywhere by a connection string; nil where it may be tried.
  ///
  /// It reads `the connection string …`, and quotes nothing of it: the string of another program,
  /// or a password that was not encoded, would else be sent as a name, or printed as one.
  public static func objection(to conninfo: String) -> String? {
    Configuration(conninfo: conninfo, applicationName: "").objectionToString
  }

  /// The same of this connection, with what libpq takes from its environment for the rest.
  public var objection: String? {
    objectionToString ?? ConnectionString.objectionToEnvironment
      ?? resolved.lazy.compactMap(ConnectionString.objection).first
      .map { "the environment or the service file of libpq (PGHOST, PGSERVICE, …) " + $0 }
  }

  /// Whether a text that stands where no connection string belongs looks like one.
  ///
  /// It may hold a password, and would be printed, stored, or sent somewhere as a name.
  public static func isLikeConnectionString(_ text: String) -> Bool {
    ConnectionString.isLikely(text)
  }

  private var objectionToString: String? {
    if let objection = ConnectionString(text: conninfo).objection {
      return "the connection string " + objection
    }
    guard let parsed else { return "the connection string cannot be parsed" }
    return parsed.lazy.compactMap(ConnectionString.objection).first
      .map { "the connection string " + $0 }
  }

  /// What is taken as a connection string, for a hint.
  public static let forms = """
    postgresql://user@host:port/name, or host=… dbname=… user=…, or the name of a database; the \
    password belongs in ~/.pgpass
    """

  /// The connection string's settings for messages: every secret is left out.
  public var redacted: String {
    guard let settings = parsed else { return "(a connection string that cannot be parsed)" }
    let shown = settings.filter { !$0.isSecret }.map { "\($0.keyword)=\($0.value)" }
    return shown.isEmpty ? "(the defaults of the environment)" : shown.joined(separator: " ")
  }
}

extension Configuration {
  /// One setting of a connection string.
  struct Setting {
    var keyword: String
    var value: String
    /// libpq marks with `*` what a form should hide.
    var isSecret: Bool
  }

  /// The settings that the connection string makes itself; `nil` if it cannot be parsed.
  ///
  /// libpq's own reason is dropped: it quotes pieces of the string, and so perhaps the password.
  var parsed: [Setting]? {
    guard isConnectionString else {
      return conninfo.isEmpty
        ? [] : [Setting(keyword: "dbname", value: conninfo, isSecret: false)]
    }
    var reason: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(conninfo, &reason) else {
      PQfreemem(reason)
      return nil
    }
    defer { PQconninfoFree(options) }
    return Configuration.settings(options)
  }

  /// libpq's rule: anything with `=` in it, or a URL; else it is the name of a database.
  private var isConnectionString: Bool {
    conninfo.contains("=") || ConnectionString(text: conninfo).isURL
  }

  /// All that libpq would connect with; empty where it has an objection.
  ///
  /// That is the connection string, the environment, and the service file that either of them
  /// names. Nothing is sent anywhere.
  ///
  /// libpq tells it of a connection only. So one is begun that it refuses before it looks for a
  /// host: for a wish that nobody has. Nor has it to look for a password.
  private var resolved: [Setting] {
    let parameters = [
      ("dbname", conninfo), ("password", "none"), ("target_session_attrs", "of no kind"),
    ]
    let handle = withCStrings(parameters.map(\.0)) { keywords in
      withCStrings(parameters.map(\.1)) { values in PQconnectStartParams(keywords, values, 1) }
    }
    guard let handle else { return [] }
    defer { PQfinish(handle) }
    guard let options = PQconninfo(handle) else { return [] }
    defer { PQconninfoFree(options) }
    return Configuration.settings(options)
  }

  /// Settings of the server's that the connection asks for by `options`, and that sessions have
  /// from us instead.
  public var overruled: [String] {
    guard let options = resolved.first(where: { $0.keyword == "options" })?.value else { return [] }
    let words = options.split { $0.isWhitespace || $0 == "=" }
    let named = Set(
      words.map {
        var word = $0[...]
        for prefix in ["--", "-c"] where word.hasPrefix(prefix) { word = word.dropFirst(2) }
        return word.lowercased().replacing("-", with: "_")
      })
    return sessionSettings.map(\.name).filter { named.contains($0.lowercased()) }
  }

  /// What a connection was, or is being, made with, by its keyword.
  static func settings(of handle: OpaquePointer) -> [String: String] {
    guard let options = PQconninfo(handle) else { return [:] }
    defer { PQconninfoFree(options) }
    return Dictionary(settings(options).map { ($0.keyword, $0.value) }) { first, _ in first }
  }

  /// The settings in libpq's list that have a value.
  static func settings(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [Setting] {
    var settings: [Setting] = []
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val, value.pointee != 0 {
        let keyword = String(cString: keyword)
        let isMarked = option.pointee.dispchar.map { $0.pointee == UInt8(ascii: "*") } ?? false
        settings.append(
          Setting(
            keyword: keyword, value: String(cString: value),
            isSecret: isMarked || keyword.contains("password")))
      }
      option += 1
    }
    return settings
  }

  /// The parameters for libpq: what may be overridden, the connection string, what may not.
  ///
  /// A later entry replaces an earlier one, and the environment fills only what no entry sets;
  /// so a default for which there is a variable is left out when the variable is set. A service
  /// file decides for itself: libpq lets it set only what nobody set before.
  func parameters(_ settings: [Setting]) -> [(keyword: String, value: String)] {
    var parameters: [(String, String)] = []
    if environment("PGCONNECT_TIMEOUT") == nil {
      parameters.append(("connect_timeout", String(connectTimeoutSeconds)))
    }
    let hasService =
      environment("PGSERVICE") != nil || settings.contains { $0.keyword == "service" }
    if !hasService {
      if !mayBeReadOnly, environment("PGTARGETSESSIONATTRS") == nil {
        parameters.append(("target_session_attrs", "read-write"))
      }
      parameters += [
        ("keepalives", "1"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
        ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
      ]
    }
    if !conninfo.isEmpty { parameters.append(("dbname", conninfo)) }
    parameters.append(("application_name", applicationName))
    parameters.append(("client_encoding", "UTF8"))
    return parameters
  }

  /// The server's settings for each session, in milliseconds where they are times.
  ///
  /// Whatever a role, a database or a proxy's last client set, a session of ours has these: what it
  /// computes and how long it waits must not hang on them.
  ///
  /// No statement is compiled: that takes longer than any of ours runs, and the server decides for
  /// it on estimates that are far too high for tables it has no statistics of.
  ///
  /// Nor does row security take rows away in silence: a sum over what is left would look like any
  /// other. The server refuses such a statement instead, and names the table.
  ///
  /// Nothing is looked up in schemas that anybody can make things in, and in a session's own only
  /// after the server's: what is made there by a function of somebody else's would else be found
  /// first, a type as well.
  ///
  /// A session that keeps a lease is idle between two signs of life, and may be. A single statement
  /// is its own transaction, and sees what was committed before it; as a serializable one that may
  /// be deferred it would wait for every serializable transaction of others.
  var sessionSettings: [(name: String, value: String)] {
    [
      ("search_path", "pg_catalog, pg_temp"), ("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"),
      ("IntervalStyle", "postgres"), ("extra_float_digits", "1"), ("jit", "off"),
      ("row_security", "off"),
      ("statement_timeout", String(statementTimeoutMilliseconds)),
      ("lock_timeout", String(lockTimeoutMilliseconds)),
      ("idle_in_transaction_session_timeout", String(idleInTransactionTimeoutMilliseconds)),
      ("idle_session_timeout", "0"), ("transaction_timeout", "0"),
      ("default_transaction_isolation", "read committed"),
      ("default_transaction_deferrable", "off"), ("standard_conforming_strings", "on"),
      ("transform_null_equals", "off"), ("exit_on_error", "off"),
    ]
  }
}
