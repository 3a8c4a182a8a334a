import Glibc
import Problems
import Subprocess
import SystemPackage

/// The programs of one PostgreSQL installation.
public struct PostgresBinaries: Sendable, Equatable {
  /// The oldest major version that serves.
  public static let oldestVersion = 15

  /// The folder that holds `postgres`, `initdb` and `pg_ctl`.
  public let folder: String
  /// The major version, such as 15.
  public let version: Int

  /// Finds an installation: where `pg_config` says, then Debian's folders newest first, then
  /// `PATH`.
  ///
  /// - Parameter version: The major version it must have, nil for any from ``oldestVersion`` on.
  public static func locate(serving version: Int? = nil) async throws -> PostgresBinaries {
    var found: [PostgresBinaries] = []
    for folder in await candidateFolders() {
      guard ["postgres", "initdb", "pg_ctl"].allSatisfy({ access(folder + "/" + $0, X_OK) == 0 }),
        let installed = await installedVersion(in: folder)
      else { continue }
      if installed == version ?? max(installed, oldestVersion) {
        return PostgresBinaries(folder: folder, version: installed)
      }
      found.append(PostgresBinaries(folder: folder, version: installed))
    }
    guard let version, !found.isEmpty else { throw notInstalled(found) }
    throw ClusterError(
      .versionMismatch,
      "the private cluster was made by PostgreSQL \(version), which is not installed",
      detail: "installed: " + found.map { "\($0.version) in \($0.folder)" }.joined(separator: ", "),
      remedy: "apt-get install postgresql-\(version), or upgrade the cluster with pg_upgrade")
  }

  private static func notInstalled(_ found: [PostgresBinaries]) -> ClusterError {
    ClusterError(
      .notInstalled, "PostgreSQL \(oldestVersion) or later is not installed",
      detail: found.isEmpty
        ? nil : "found: " + found.map { "\($0.version) in \($0.folder)" }.joined(separator: ", "),
      remedy: "apt-get install postgresql, or name a database with \(.option(.database))")
  }

  private static func candidateFolders() async -> [String] {
    var folders: [String] = []
    if let told = try? await Subprocess.run(
      .name("pg_config"), arguments: ["--bindir"], output: .string(limit: 4096)),
      told.terminationStatus.isSuccess
    {
      folders.append(String(told.standardOutput.prefix { $0 != "\n" }))
    }
    let debian = "/usr/lib/postgresql"
    let versions = entries(of: debian).compactMap { Int($0) }.sorted(by: >)
    folders += versions.map { "\(debian)/\($0)/bin" }
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    folders += path.split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
    var seen: Set<String> = []
    return folders.filter { !$0.isEmpty && seen.insert($0).inserted }
  }

  /// Reads the major version from `postgres --version`.
  private static func installedVersion(in folder: String) async -> Int? {
    let binaries = PostgresBinaries(folder: folder, version: 0)
    guard let outcome = try? await binaries.run("postgres", ["--version"], as: nil),
      let word = outcome.output.split(separator: " ").first(where: { $0.first?.isNumber == true })
    else { return nil }
    return Int(word.prefix { $0.isNumber })
  }
}

extension PostgresBinaries {
  /// What a program said and how it ended.
  struct Outcome {
    let succeeded: Bool
    let output: String
    /// What it wrote to standard error, on one line.
    let message: String
  }

  /// Runs one of the programs with a clean environment, from `/`, as the owner if one is given.
  func run(
    _ program: String, _ arguments: [String], as owner: Owner?, input: String = ""
  ) async throws -> Outcome {
    let command = owner?.running(program, arguments) ?? (program, arguments)
    let result = try await Subprocess.run(
      .name(command.0), arguments: Arguments(command.1), environment: environment,
      workingDirectory: "/",
      input: .inputWriter, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20)
    ) { execution in
      // One that ends before it has read everything says itself why.
      _ = try? await execution.standardInputWriter.write(input)
    }
    return Outcome(
      succeeded: result.terminationStatus.isSuccess, output: result.standardOutput,
      message: oneLine(result.standardError))
  }

  /// Runs `pg_ctl` to start a server that inherits the lock.
  ///
  /// It comes as standard input, the one way through whatever runs in between, and is put where
  /// nobody closes it.
  func start(
    _ arguments: [String], as owner: Owner, leaving lock: ServerLock
  ) async throws -> Outcome {
    let script = ["-c", "exec 9<&0 </dev/null \"$@\"", "sh", "pg_ctl"]
    let command = owner.running("sh", script + arguments)
    let result = try await Subprocess.run(
      .name(command.0), arguments: Arguments(command.1), environment: environment,
      workingDirectory: "/",
      input: .fileDescriptor(
        FileDescriptor(rawValue: lock.descriptor), closeAfterSpawningProcess: false),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    return Outcome(
      succeeded: result.terminationStatus.isSuccess, output: result.standardOutput,
      message: oneLine(result.standardError))
  }

  private var environment: Environment {
    .custom(["PATH": folder + ":/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"])
  }
}
