import Problems
import ArgumentParser
import Console
import PrivateCluster
import Text

/// The private cluster.
struct PostgresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "postgres",
    abstract: "Starts, stops and shows the private PostgreSQL cluster.",
    discussion: """
      Used when no database is named. It lives under CLOSEBELL_HOME, else /var/lib/closebell for \
      root, else the user's data folder, and listens on a Unix socket only.
      """,
    subcommands: [Start.self, Stop.self, Status.self, URL.self])

  /// Starts it.
  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the cluster on first use, and starts its server.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
      let url = try await CommonOptions.privateCluster.start()
      if common.json {
        StandardOutput.json(JSON.object([("state", .string("running")), ("url", .string(url))]))
      } else if !common.quiet {
        StandardOutput.line("the private cluster runs: \(url)")
      }
    }
  }

  /// Stops it.
  struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Stops its server.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
      try await CommonOptions.privateCluster.stop()
      if common.json {
        StandardOutput.json(JSON.object([("state", .string("stopped"))]))
      } else if !common.quiet {
        StandardOutput.line("the private cluster is stopped")
      }
    }
  }

  /// Shows it.
  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says whether its server runs; exit code 1 where it does not.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
      let cluster = CommonOptions.privateCluster
      let (word, pid): (String, Int32?) =
        switch try cluster.status() {
        case .absent: ("absent", nil)
        case .stopped: ("stopped", nil)
        case .changing(let pid): ("changing", pid)
        case .running(let pid): ("running", pid)
        }
      if common.json {
        let fields: [(String, JSON)] = [
          ("state", .string(word)), ("pid", pid.map { .integer(Int($0)) } ?? .null),
          ("folder", .string(cluster.dataFolder)),
        ]
        StandardOutput.json(JSON.object(fields))
      } else if !common.quiet {
        StandardOutput.line(
          "\(word)\(pid.map { ", process \($0)" } ?? ""), in \(cluster.dataFolder.shown)")
      }
      if word != "running" { throw Ended(.refused) }
    }
  }

  /// Prints its address.
  struct URL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "url", abstract: "Prints the URL for --database, psql and other programs.")

    func run() async throws { StandardOutput.line(CommonOptions.privateCluster.url) }
  }
}
