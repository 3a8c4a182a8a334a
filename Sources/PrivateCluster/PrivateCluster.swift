import Glibc
import Problems

/// The PostgreSQL cluster Closebell keeps for itself when no database is named.
///
/// It lives in `dataFolder`, listens on a Unix socket in a folder that only its owner may enter,
/// never on the network, and outlives the process that starts it. Every method may be called by
/// several processes at once: changes happen under a lock file.
///
/// PostgreSQL refuses to run as root. As root the server runs as the owner of an existing cluster,
/// else as the system user `postgres`.
public struct PrivateCluster: Sendable {
  /// The user and the database every private cluster has.
  public static let name = "closebell"
  /// A part of the socket's name only: the server does not listen on the network.
  public static let port = 5432

  /// Absolute path of the folder that holds the cluster, its lock file and its log.
  public let dataFolder: String
  /// The same as it was given, with the links that lead there.
  let givenFolder: String
  let settings: ClusterSettings

  /// A cluster kept in `dataFolder`; nothing is touched before ``start()``.
  ///
  /// A relative path is taken from the working directory, symbolic links are resolved.
  public init(dataFolder: String, settings: ClusterSettings = .durable) {
    self.dataFolder = absolutePath(dataFolder)
    givenFolder = dataFolder
    self.settings = settings
  }

  /// The data folder of this user.
  ///
  /// `CLOSEBELL_HOME`, else `/var/lib/closebell` for root, else `closebell` in `XDG_DATA_HOME`,
  /// else `.local/share/closebell` in the home folder: the account's own where `HOME` is not
  /// set. Empty variables count as unset.
  public static func defaultDataFolder(
    environment: [String: String]
  ) -> String {
    defaultDataFolder(environment: environment, userID: geteuid())
  }

  static func defaultDataFolder(environment: [String: String], userID: uid_t) -> String {
    func value(_ key: String) -> String? {
      environment[key].flatMap { $0.isEmpty ? nil : $0 }
    }
    if let home = value("CLOSEBELL_HOME") { return home }
    if userID == 0 { return "/var/lib/closebell" }
    if let shared = value("XDG_DATA_HOME"), shared.hasPrefix("/") { return shared + "/closebell" }
    // Never the folder of the moment: the books would be others in each.
    let home =
      value("HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? getpwuid(userID).map {
        String(cString: $0.pointee.pw_dir)
      } ?? ""
    return home + "/.local/share/closebell"
  }

  /// What the cluster is doing now.
  public enum Status: Sendable, Equatable {
    /// No cluster has been made in the data folder yet.
    case absent
    /// The cluster exists, and its server does not run.
    case stopped
    /// The server is coming up, recovering or going down; without a process it is one whose number
    /// is not known here, or children that outlived theirs.
    case changing(processID: Int32?)
    /// The server accepts connections; its process has no number here if it is in a container.
    case running(processID: Int32?)
  }

  /// Looks, and changes nothing.
  public func status() throws -> Status {
    try requireSpeakablePath()
    try requireFolderOfOurs()
    try requireReadableFolder()
    guard exists(rootFolder) else { return .absent }
    return try asOwner {
      guard try hasCluster() else { return .absent }
      switch try evidence().life() {
      case .none: return .stopped
      case .held: return .changing(processID: nil)
      case .server(let processID, isReady: true): return .running(processID: processID)
      case .server(let processID, isReady: false): return .changing(processID: processID)
      }
    }
  }

  /// Makes the cluster on first use, starts its server if it does not run, and waits until it
  /// accepts connections; returns ``url``.
  @discardableResult
  public func start() async throws -> String {
    if case .running = try status() {
      try requireSocket()
      return url
    }
    try createHomeFolder()
    try requireFolderOfOurs()
    let owner = try Owner.ofCluster(in: rootFolder)
    try owner.requireReach(of: dataFolder)
    let lock = try await ClusterLock.acquire(path: subpath("postgres.lock", of: dataFolder))
    defer { lock.release() }
    try await waitWhileChanging()
    if case .running = try status() {
      try requireSocket()
      return url
    }
    let binaries = try await locateBinaries()
    try removeDrafts(owner: owner)
    if case .absent = try status() { try await initialize(owner: owner, binaries: binaries) }
    try prepareSocketFolder(owner: owner)
    try await launch(owner: owner, binaries: binaries)
    return url
  }

  /// How a server ends.
  public enum Shutdown: String, Sendable {
    /// Open transactions are rolled back, and everything is written out.
    case fast
    /// As in a power cut: the next start recovers from the log.
    case immediate
  }

  /// Stops the server and waits for its end; no error if it does not run.
  public func stop(_ shutdown: Shutdown = .fast) async throws {
    switch try status() {
    case .absent, .stopped: return
    case .changing, .running: break
    }
    let lock = try await ClusterLock.acquire(path: subpath("postgres.lock", of: dataFolder))
    defer { lock.release() }
    let owner = try Owner.ofCluster(in: rootFolder)
    guard try owner.acting({ try requireStoppable() }) else { return }
    let binaries = try await locateBinaries()
    let outcome = try await binaries.run(
      "pg_ctl", ["-D", clusterFolder, "-m", shutdown.rawValue, "-w", "-t", "600", "stop"],
      as: owner)
    guard try await isGone(owner: owner) else {
      // What it started may go on without it, and keeps the next one out.
      if try owner.acting({ try evidence().life() }) == .held { throw stillHeld }
      throw ClusterError(
        .failed, "the private PostgreSQL server did not stop", detail: outcome.message,
        remedy: "its log is \(logFile)")
    }
  }

  /// The connection URL, with every part percent-encoded:
  /// `postgresql:///closebell?host=…&port=…&user=…`.
  public var url: String { url(database: settings.database ?? "postgres") }

  /// The connection URL of another database of the cluster.
  public func url(database: String) -> String {
    "postgresql:///\(percentEncoded(database))?host=\(percentEncoded(socketFolder))"
      + "&port=\(Self.port)&user=\(Self.name)"
  }

  /// Where the server writes its log.
  public var logFile: String { rootFolder + "/server.log" }
}

extension PrivateCluster {
  /// Everything the server's owner may write to; the rest of the data folder stays the caller's.
  var rootFolder: String { subpath("postgres", of: dataFolder) }
  var clusterFolder: String { rootFolder + "/data" }

  /// The folder of the socket: inside the cluster's where that can be, else a short one.
  ///
  /// A socket's path may take 107 bytes, the name that PostgreSQL gives it included, and clients
  /// take a comma in it for the end of one of several hosts.
  public var socketFolder: String {
    let inside = rootFolder + "/run"
    let length = (inside + "/.s.PGSQL.\(Self.port)").utf8.count
    if length <= 107, !inside.contains(",") { return inside }
    return "/tmp/closebell-" + fingerprint(of: rootFolder)
  }

  /// The programs of a PostgreSQL that can serve this cluster: of its version if it exists already.
  public func locateBinaries() async throws -> PostgresBinaries {
    try await PostgresBinaries.locate(serving: clusterVersion())
  }

  /// Major version of the existing cluster, nil before the first use.
  func clusterVersion() -> Int? {
    guard exists(rootFolder), let text = try? asOwner({ readText(clusterFolder + "/PG_VERSION") })
    else { return nil }
    return Int(text.prefix { $0.isNumber })
  }

  /// What tells whether the server lives; to be asked as its owner.
  func evidence() -> ServerEvidence {
    ServerEvidence(clusterFolder: clusterFolder, socketFolder: socketFolder)
  }

  /// Does work on the files of an existing cluster as their owner.
  func asOwner<R>(_ body: () throws -> R) throws -> R {
    try Owner.ofCluster(in: rootFolder).acting(body)
  }
}
