/// What a new cluster is made for.
public struct ClusterSettings: Sendable {
  /// Whether what was committed must survive a power cut.
  public var isDurable: Bool
  /// The database made along with the cluster, nil for none but PostgreSQL's own.
  public var database: String?
  /// Lines of `postgresql.conf`, written once when the cluster is made.
  public var parameters: [(name: String, value: String)]

  /// A cluster that keeps books: synced, with checksums, and with the database `closebell`.
  public static let durable = ClusterSettings(
    isDurable: true, database: PrivateCluster.name, parameters: [])

  /// A cluster that is thrown away: nothing is synced, many may connect.
  public static let throwaway = ClusterSettings(
    isDurable: false, database: nil,
    parameters: [
      ("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"),
      ("max_connections", "200"), ("autovacuum_naptime", "10s"),
      ("max_prepared_transactions", "20"),
    ])

  /// The configuration file's text for a new cluster.
  ///
  /// Dynamic shared memory lives in the data folder: `/dev/shm` is small in containers, and systemd
  /// empties it when an ordinary user logs out, under a server that goes on running.
  var configuration: String {
    let house: [(name: String, value: String)] = [
      ("listen_addresses", ""), ("port", String(PrivateCluster.port)),
      ("unix_socket_permissions", "0700"), ("dynamic_shared_memory_type", "mmap"),
      ("timezone", "UTC"), ("log_timezone", "UTC"), ("log_checkpoints", "off"),
      ("log_line_prefix", "%m [%p] %q%a "),
    ]
    let lines = (house + parameters).map { "\($0.name) = '\($0.value)'\n" }
    return "\n# Closebell's private cluster: reached through its own socket only.\n"
      + lines.joined()
  }
}
