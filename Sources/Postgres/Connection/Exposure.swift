internal import CLibPQ

/// What somebody on the way to the server may see or do, as far as libpq can tell.
struct Exposure {
  /// The host as it was asked for.
  var host: String
  /// libpq's `sslmode`: how much it insists on.
  var mode: String
  /// Whether libpq has a password: from the connection string, `PGPASSWORD`, the password file or
  /// a service file.
  var hasPassword: Bool
  /// Whether what was said is encrypted, by TLS or by GSSAPI.
  var isEncrypted = false
  /// libpq's `require_auth`: the ways of logging in that are accepted; empty: all.
  var acceptedWays = ""
  /// Whether a login without channel binding is refused.
  var bindsChannel = false

  /// The session's, made or refused; nil where libpq can say nothing of it.
  init?(_ handle: OpaquePointer) {
    guard let options = PQconninfo(handle) else { return nil }
    defer { PQconninfoFree(options) }
    let settings = Configuration.settings(options)
    func value(_ keyword: String) -> String? { settings.first { $0.keyword == keyword }?.value }
    // Where nobody answered nothing was told.
    let isOpen = PQstatus(handle) == CONNECTION_OK
    let password = isOpen && PQpass(handle).map { $0.pointee != 0 } ?? false
    self.init(
      host: PQhost(handle).map { String(cString: $0) } ?? "", mode: value("sslmode") ?? "prefer",
      hasPassword: password || PQconnectionUsedPassword(handle) == 1,
      isEncrypted: PQsslInUse(handle) == 1 || PQgssEncInUse(handle) == 1,
      acceptedWays: value("require_auth") ?? "",
      bindsChannel: value("channel_binding") == "require")
  }

  init(
    host: String, mode: String, hasPassword: Bool, isEncrypted: Bool = false,
    acceptedWays: String = "", bindsChannel: Bool = false
  ) {
    self.host = host
    self.mode = mode
    self.hasPassword = hasPassword
    self.isEncrypted = isEncrypted
    self.acceptedWays = acceptedWays
    self.bindsChannel = bindsChannel
  }

  /// Whether nothing leaves this machine.
  private var isLocal: Bool {
    host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost"
      || host == "::1" || host.hasPrefix("127.")
  }

  /// Whether libpq would hand the password to whoever asks for it, on a connection without TLS.
  ///
  /// With `prefer` a server says whether there is TLS, and anybody on the way can say no for it.
  var mayTellPassword: Bool {
    guard hasPassword, !bindsChannel, ["disable", "allow", "prefer"].contains(mode) else {
      return false
    }
    let ways = acceptedWays.split(separator: ",")
    if ways.isEmpty { return true }
    return ways.contains { $0.hasPrefix("!") }
      ? !ways.contains("!password") : ways.contains("password")
  }

  /// The warning; nil where the connection is local, or the server proved who it is.
  var notice: Notice? {
    guard !isLocal, mode != "verify-full" else { return nil }
    let server = "the connection to \(host) does not verify the server (sslmode=\(mode))"
    guard mayTellPassword else {
      return warning(server, hint: "set sslmode=verify-full and sslrootcert")
    }
    let state = isEncrypted ? "may go in clear next time" : "may have gone in clear"
    return warning(
      "\(server), and the password \(state)",
      hint: """
        set sslmode=verify-full and sslrootcert (or PGSSLMODE and PGSSLROOTCERT); sslmode=require \
        at least
        """)
  }

  private func warning(_ message: String, hint: String) -> Notice {
    Notice(severity: "WARNING", sqlState: nil, message: message, detail: nil, hint: hint)
  }
}
