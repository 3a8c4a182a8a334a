import Glibc
public import PrivateCluster
import Synchronization

/// Stands between a client and PostgreSQL, and breaks the line at the n-th commit that goes by.
///
/// It listens on the loopback, forwards every connection to the server's socket, and reads along
/// just enough of the protocol to see a `COMMIT`, in a simple or in an extended query.
public final class CommitProxy: Sendable {
  /// When the line breaks.
  public enum Cut: String, Sendable, CaseIterable {
    /// The commit never reaches the server.
    case before
    /// The commit reaches the server, and the line breaks at once.
    case after
    /// The server has answered, and the answer is lost.
    case answerLost
  }

  private let listener: Int32
  private let port: UInt16
  private let line: Line

  /// A proxy before a cluster's server; `nth` counts from 1, over all connections.
  public init?(before cluster: PrivateCluster, cutting nth: Int, _ cut: Cut) {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard let port = Self.listen(on: listener) else { return nil }
    self.port = port
    line = Line(
      server: "\(cluster.socketFolder)/.s.PGSQL.\(PrivateCluster.port)", nth: nth, cut: cut)
    let work = Unmanaged.passRetained(Accepting(listener, line))
    startThread(work.toOpaque()) { context in
      guard let context else { return nil }
      Unmanaged<Accepting>.fromOpaque(context).takeRetainedValue().run()
      return nil
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// Commits seen so far.
  public var commits: Int { line.seen.load(ordering: .sequentiallyConsistent) }

  /// Whether the line was broken.
  public var hasCut: Bool { commits >= line.nth }

  /// A connection string for a database of the cluster, through here.
  public func conninfo(database: String) -> String {
    "host=127.0.0.1 port=\(port) dbname=\(database) user=\(PrivateCluster.name) sslmode=disable "
      + "gssencmode=disable"
  }

  private static func listen(on listener: Int32) -> UInt16? {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        bind(listener, plain, length) == 0 && Glibc.listen(listener, 64) == 0
          && getsockname(listener, plain, &length) == 0
      }
    }
    return isBound ? UInt16(bigEndian: address.sin_port) : nil
  }
}

/// What all connections of a proxy share.
private final class Line: Sendable {
  let server: String
  let nth: Int
  let cut: CommitProxy.Cut
  let seen = Atomic<Int>(0)

  init(server: String, nth: Int, cut: CommitProxy.Cut) {
    self.server = server
    self.nth = nth
    self.cut = cut
  }

  /// Counts a commit and says whether it is the one.
  func isMeant() -> Bool {
    seen.add(1, ordering: .sequentiallyConsistent).newValue == nth
  }
}

private final class Accepting: Sendable {
  private let listener: Int32
  private let line: Line

  init(_ listener: Int32, _ line: Line) {
    self.listener = listener
    self.line = line
  }

  func run() {
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else { return }
      let server = connectToServer()
      guard server >= 0 else {
        close(client)
        continue
      }
      let work = Unmanaged.passRetained(Relay(client, server, line))
      startThread(work.toOpaque()) { context in
        guard let context else { return nil }
        Unmanaged<Relay>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }
    }
  }

  private func connectToServer() -> Int32 {
    let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { path in
      path.copyBytes(from: line.server.utf8.prefix(path.count - 1))
    }
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        connect(server, plain, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    if isConnected { return server }
    close(server)
    return -1
  }
}

/// One connection, on a thread of its own.
private final class Relay: @unchecked Sendable {
  // Only the one thread that runs it touches anything here.
  private let client: Int32
  private let server: Int32
  private let line: Line
  private var messages = FrontendMessages()

  init(_ client: Int32, _ server: Int32, _ line: Line) {
    self.client = client
    self.server = server
    self.line = line
  }

  func run() {
    while step() {}
    shutdown(client, Int32(SHUT_RDWR))
    shutdown(server, Int32(SHUT_RDWR))
    close(client)
    close(server)
  }

  /// Forwards what has come; false at the end of either stream, or when the line was cut.
  private func step() -> Bool {
    var both = [
      pollfd(fd: client, events: Int16(POLLIN), revents: 0),
      pollfd(fd: server, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&both, 2, -1) > 0 else { return errno == EINTR }
    if both[1].revents != 0 {
      guard let answer = receive(server), send(client, answer) else { return false }
    }
    if both[0].revents != 0 {
      guard let bytes = receive(client) else { return false }
      messages.append(bytes)
      while let message = messages.next() {
        if message.isCommit, line.isMeant() {
          cut(message.bytes)
          return false
        }
        guard send(server, message.bytes) else { return false }
      }
    }
    return true
  }

  private func cut(_ commit: [UInt8]) {
    guard line.cut != .before else { return }
    _ = send(server, commit)
    guard line.cut == .answerLost else { return }
    var one = pollfd(fd: server, events: Int16(POLLIN), revents: 0)
    _ = poll(&one, 1, 5_000)
    _ = receive(server)
  }

  private func receive(_ socket: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &buffer, buffer.count, 0)
    return count > 0 ? Array(buffer[..<count]) : nil
  }

  private func send(_ socket: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

private func startThread(
  _ context: UnsafeMutableRawPointer,
  _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
) {
  var thread = pthread_t()
  pthread_create(&thread, nil, body, context)
  pthread_detach(thread)
}
