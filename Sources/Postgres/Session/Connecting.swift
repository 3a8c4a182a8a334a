internal import CLibPQ

/// Connects as `PQconnectdbParams` does, with nothing printed on the way.
///
/// That function's connection has libpq's own receiver of notices until it is made, which writes
/// them to standard error as they come: whatever a server says while one logs in would reach the
/// terminal raw. So it is begun, given our receiver, and brought to its end by hand, with the time
/// limit that libpq keeps only in the function that we do without: so long for each address.
///
/// libpq cannot be told from outside to leave an address. While the connection itself is awaited,
/// cutting the socket does it. A host that took the connection and then says nothing is left out,
/// and the others are tried again.
struct Connecting {
  let notices: NoticeSink
  private var parameters: [(keyword: String, value: String)]
  /// What is to be said of the hosts that were left out.
  private var complaints: [String] = []
  /// Whether an address was left although it might have answered later.
  private var leftAnAddress = false

  init(_ parameters: [(keyword: String, value: String)], notices: NoticeSink) {
    self.parameters = parameters
    self.notices = notices
  }

  /// Connects, blocking meanwhile.
  ///
  /// - Returns: The connection, made or failed: `PQstatus`.
  /// - Throws: `PostgresError` where there is no memory, or the time limit is no number.
  mutating func connect() throws -> OpaquePointer {
    while true {
      let handle = withCStrings(parameters.map(\.keyword)) { keywords in
        withCStrings(parameters.map(\.value)) { values in
          PQconnectStartParams(keywords, values, 1)
        }
      }
      guard let handle else { throw PostgresError(.connectFailed, "out of memory") }
      notices.attach(to: handle)
      guard PQstatus(handle) != CONNECTION_BAD else { return handle }
      let limit: Duration?
      do {
        limit = try Self.limit(handle)
      } catch {
        PQfinish(handle)
        throw error
      }
      if bringToEnd(handle, limit: limit) { return handle }
      complaints.append(Place(handle).complaint)
      guard let rest = HostList(handle)?.without(Place(handle)) else { return handle }
      parameters += rest.parameters
      PQfinish(handle)
    }
  }

  /// Why there is no connection, in libpq's words and as if it had kept the time itself.
  func reason(_ handle: OpaquePointer) -> String {
    var text = ServerResult.oneLine(String(cString: PQerrorMessage(handle)))
    if leftAnAddress { text = text.replacing("Connection reset by peer", with: "timeout expired") }
    return (complaints + (text.isEmpty ? [] : [text])).joined(separator: "; ")
  }

  /// - Returns: False where a host that took the connection said nothing for too long.
  private mutating func bringToEnd(_ handle: OpaquePointer, limit: Duration?) -> Bool {
    var place = Place(handle)
    var deadline = limit.map { ContinuousClock.now + $0 }
    var isToWrite = true
    while true {
      guard Self.wait(PQsocket(handle), isToWrite: isToWrite, until: deadline) else {
        guard PQstatus(handle) == CONNECTION_STARTED else { return false }
        leftAnAddress = true
        pq_socket_cut(PQsocket(handle))
        deadline = limit.map { ContinuousClock.now + $0 }
        isToWrite = true
        continue
      }
      switch PQconnectPoll(handle) {
      case PGRES_POLLING_READING: isToWrite = false
      case PGRES_POLLING_WRITING: isToWrite = true
      default: return true
      }
      let next = Place(handle)
      if next != place {
        place = next
        deadline = limit.map { ContinuousClock.now + $0 }
      }
    }
  }

  /// - Returns: Whether the socket is ready, or broken; false after the deadline.
  private static func wait(
    _ socket: Int32, isToWrite: Bool, until deadline: ContinuousClock.Instant?
  ) -> Bool {
    while true {
      var milliseconds: Int32 = -1
      if let deadline {
        let left = max(.zero, deadline - ContinuousClock.now) / .milliseconds(1)
        milliseconds = Int32(min(left.rounded(.up), 1e9))
      }
      let ready = pq_socket_is_ready(socket, isToWrite ? 1 : 0, milliseconds)
      if ready >= 0 { return ready == 1 }
    }
  }

  /// libpq's `connect_timeout`, read as it reads it; nil: no limit.
  private static func limit(_ handle: OpaquePointer) throws -> Duration? {
    guard let text = Configuration.settings(of: handle)["connect_timeout"] else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 1, let seconds = Int32(words[0]) else {
      throw PostgresError(
        .connectFailed, "connect_timeout, or PGCONNECT_TIMEOUT, is no whole number of seconds",
        sqlState: SQLState.configFileError)
    }
    // A second may be over as soon as it has begun.
    return seconds > 0 ? .seconds(max(2, seconds)) : nil
  }
}

/// One of the addresses that libpq tries.
private struct Place: Equatable {
  let host: String
  let address: String
  let port: String

  init(_ handle: OpaquePointer) {
    host = PQhost(handle).map { String(cString: $0) } ?? ""
    address = PQhostaddr(handle).map { String(cString: $0) } ?? ""
    port = PQport(handle).map { String(cString: $0) } ?? ""
  }

  /// In libpq's words.
  var complaint: String {
    let place =
      host.hasPrefix("/")
      ? "on socket \"\(host)/.s.PGSQL.\(port)\""
      : address.isEmpty || address == host
        ? "at \"\(host)\", port \(port)"
        : "at \"\(host)\" (\(address)), port \(port)"
    return "connection to server \(place) failed: timeout expired"
  }
}

/// The hosts that a connection is tried at, each with its port: libpq's three lists.
private struct HostList {
  private var hosts: [String]
  private var addresses: [String]
  private var ports: [String]

  init?(_ handle: OpaquePointer) {
    let settings = Configuration.settings(of: handle)
    func list(_ keyword: String) -> [String] {
      settings[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        ?? []
    }
    (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
    let count = max(hosts.count, addresses.count)
    guard count > 1, hosts.isEmpty || hosts.count == count,
      addresses.isEmpty || addresses.count == count
    else { return nil }
    if ports.count <= 1 { ports = Array(repeating: ports.first ?? "", count: count) }
    guard ports.count == count else { return nil }
  }

  /// The others, in their order.
  func without(_ place: Place) -> HostList {
    let names = hosts.isEmpty ? addresses : hosts
    let index =
      names.indices.first { names[$0] == place.host && ports[$0] == place.port }
      ?? names.indices.first { names[$0] == place.host }
      ?? names.indices.first { names[$0].isEmpty } ?? 0
    var rest = self
    if !hosts.isEmpty { rest.hosts.remove(at: index) }
    if !addresses.isEmpty { rest.addresses.remove(at: index) }
    rest.ports.remove(at: index)
    return rest
  }

  /// What replaces the lists that stand before.
  var parameters: [(keyword: String, value: String)] {
    [("host", hosts), ("hostaddr", addresses), ("port", ports)].filter { !$0.1.isEmpty }
      .map { ($0.0, $0.1.joined(separator: ",")) }
  }
}
