import Glibc

/// A server on the loopback that speaks just enough of the protocol to misbehave on purpose.
///
/// It asks for a password, takes whatever it is given, and then does what its script says.
public final class FakeServer: Sendable {
  /// What the server does once it has the password.
  public enum Script: Sendable {
    /// Refuses it, as PostgreSQL would.
    case refusePassword
    /// Lets the client in and never says anything again, as behind a dead network.
    case fallSilent
    /// Lets the client in, tells it something that a terminal would obey, and ends.
    case shout
    /// Takes the connection, and never says anything.
    case sayNothing
  }

  private let listener: Int32
  /// Where it listens, on 127.0.0.1.
  public let port: UInt16

  /// A server that runs as long as this object is there; nil where it cannot listen.
  public init?(_ script: Script) {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        bind(listener, plain, length) == 0 && listen(listener, 4) == 0
          && getsockname(listener, plain, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard isBound else { return nil }
    let thread = UnsafeMutablePointer<pthread_t>.allocate(capacity: 1)
    defer { thread.deallocate() }
    let work = Unmanaged.passRetained(Work(listener, script))
    pthread_create(
      thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().serve()
        return nil
      }, work.toOpaque())
    pthread_detach(thread.pointee)
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// A connection string that leads here.
  public func conninfo(password: String) -> String {
    "host=127.0.0.1 port=\(port) user=someone dbname=books password=\(password) sslmode=disable "
      + "gssencmode=disable target_session_attrs=any"
  }
}

/// A port on the loopback whose server takes no connection any more: as behind a wall that drops
/// what it does not let through.
public final class FullServer: Sendable {
  private let listener: Int32
  private let clients: [Int32]
  /// Where it is, on 127.0.0.1.
  public let port: UInt16

  /// Nil where it cannot listen.
  public init?() {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    var clients: [Int32] = []
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        guard bind(listener, plain, length) == 0, listen(listener, 0) == 0,
          getsockname(listener, plain, &length) == 0
        else { return false }
        // One waits to be accepted, and nobody does; the others are not answered.
        for _ in 0..<4 {
          let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
          _ = connect(client, plain, length)
          clients.append(client)
        }
        return true
      }
    }
    self.clients = clients
    port = UInt16(bigEndian: address.sin_port)
    guard isBound else { return nil }
  }

  deinit { for socket in clients + [listener] { close(socket) } }
}

private final class Work: Sendable {
  private let listener: Int32
  private let script: FakeServer.Script

  init(_ listener: Int32, _ script: FakeServer.Script) {
    self.listener = listener
    self.script = script
  }

  func serve() {
    var clients: [Int32] = []
    while true {
      let client = accept(listener, nil, nil)
      if client < 0 { break }
      clients.append(client)
      greet(client)
    }
    for client in clients { close(client) }
  }

  private func greet(_ client: Int32) {
    if script == .sayNothing { return }
    guard let start = receive(client, hasType: false), start.count >= 4 else { return }
    // A request to cancel has a code of its own; this server does not heed it.
    if start[0...3].elementsEqual([0x04, 0xD2, 0x16, 0x2E]) { return }
    send(client, "R", [0, 0, 0, 3])
    guard receive(client, hasType: true) != nil else { return }
    switch script {
    case .sayNothing: break
    case .refusePassword:
      complain(
        client, "E", ["SFATAL", "VFATAL", "C28P01", "Mpassword authentication failed for x"])
      shutdown(client, Int32(SHUT_RDWR))
    case .shout:
      send(client, "R", [0, 0, 0, 0])
      complain(client, "N", ["SWARNING", "VWARNING", "C01000", "M\u{1B}]0;shouted\u{7}\u{1B}[2J"])
      complain(client, "E", ["SFATAL", "VFATAL", "C57P03", "M\u{1B}[2Jnot now"])
      shutdown(client, Int32(SHUT_RDWR))
    case .fallSilent:
      send(client, "R", [0, 0, 0, 0])
      for setting in ["server_version", "client_encoding"] {
        send(client, "S", Array(setting.utf8) + [0] + Array("15.0".utf8) + [0])
      }
      send(client, "K", [0, 0, 0, 1, 0, 0, 0, 2])
      send(client, "Z", Array("I".utf8))
      // The two statements that set up a session are answered; nothing after them is.
      for _ in 0..<2 {
        guard receive(client, hasType: true) != nil else { return }
        send(client, "C", Array("SELECT 0".utf8) + [0])
        send(client, "Z", Array("I".utf8))
      }
    }
  }

  /// A notice or an error, of its fields.
  private func complain(_ client: Int32, _ type: Character, _ fields: [String]) {
    send(client, type, fields.flatMap { Array($0.utf8) + [0] } + [0])
  }

  /// One message's body; the first message of a connection has no type.
  private func receive(_ client: Int32, hasType: Bool) -> [UInt8]? {
    guard let head = read(client, hasType ? 5 : 4) else { return nil }
    let length = head.suffix(4).reduce(0) { $0 << 8 | Int($1) }
    return read(client, length - 4)
  }

  private func read(_ client: Int32, _ count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var byte: UInt8 = 0
      guard recv(client, &byte, 1, 0) == 1 else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  private func send(_ client: Int32, _ type: Character, _ body: [UInt8]) {
    let length = UInt32(body.count + 4)
    var message: [UInt8] = [type.asciiValue ?? 0]
    for shift in [24, 16, 8, 0] as [UInt32] { message.append(UInt8(length >> shift & 0xFF)) }
    message += body
    // Its client may be gone by now, which must not end the tests with a signal.
    _ = message.withUnsafeBytes {
      Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }
}
