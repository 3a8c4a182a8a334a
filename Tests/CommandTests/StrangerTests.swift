import Foundation
import TestSupport
import Testing

/// What the program gives away to strangers, on its way to a database and on a terminal.
@Suite("Nothing is given to strangers")
struct StrangerTests {
  static let strings = [
    "jdbc:postgresql://me:hush@db.example/books", "postgresql+psycopg2://me:hush@db.example/books",
    "postgresql:/me:hush@db.example/books", "POSTGRESQL://me:hush@db.example/books",
    "mysql://me:hush@db.example/books", "me:hush@db.example/books",
    " postgresql://me:hush@db.example/books", "host=db.example;dbname=books;password=hush",
  ]

  @Test("the program refuses them with 64 or 78, and repeats nothing", arguments: strings)
  func connectionStrings(_ string: String) async throws {
    let option = try await CommandRun.closebell(["status", "--database", string])
    #expect(option.exitCode == 64, "\(option.standardError)")
    #expect(option.standardError.contains("--database"))
    let variable = try await CommandRun.closebell(
      ["status"], environment: ["CLOSEBELL_DATABASE_URL": string])
    #expect(variable.exitCode == 78, "\(variable.standardError)")
    #expect(variable.standardError.contains("CLOSEBELL_DATABASE_URL takes"))
    let libpq = try await CommandRun.closebell(
      ["status"], environment: ["PGDATABASE": string, "PGHOST": "127.0.0.1", "PGPORT": "1"])
    #expect(libpq.exitCode == 78, "\(libpq.standardError)")
    let elsewhere = try await CommandRun.closebell(["status", string])
    #expect(elsewhere.exitCode == 64)
    for run in [option, variable, libpq] {
      #expect(!run.standardError.contains("hush") && !run.standardError.contains("db.example"))
    }
    for run in [option, libpq] {
      #expect(run.standardError.contains("hint: expected is postgresql://user@host:port/name"))
    }
    if string.contains("://") || string.contains("password=") {
      #expect(!elsewhere.standardError.contains("hush"), "\(elsewhere.standardError)")
    }
  }

  @Test("a password that may go in clear is told of, wherever libpq has it from")
  func passwords() async throws {
    let server = try #require(FakeServer(.refusePassword))
    let place =
      "host=books hostaddr=127.0.0.1 port=\(server.port) user=me dbname=books "
      + "target_session_attrs=any gssencmode=disable sslmode=disable"
    let passwordFile = ScratchFile("*:*:*:*:hush\n", suffix: ".pgpass")
    chmod(passwordFile.path, 0o600)
    let services = ScratchFile("[books]\npassword=hush\n", suffix: ".conf")
    let ways: [(conninfo: String, environment: [String: String])] = [
      (place + " password=hush", [:]), (place, ["PGPASSWORD": "hush"]),
      (place, ["PGPASSFILE": passwordFile.path]),
      (place + " service=books", ["PGSERVICEFILE": services.path]),
    ]
    for (conninfo, environment) in ways {
      let run = try await CommandRun.closebell(
        ["status", "--quiet", "--database", conninfo], environment: environment)
      #expect(run.exitCode == 78, "\(run.standardError)")
      #expect(run.standardError.hasPrefix("warning: the connection to books does not verify"))
      #expect(run.standardError.contains("the password may have gone in clear"))
      #expect(run.standardError.contains("hint: set sslmode=verify-full and sslrootcert"))
      #expect(!run.standardError.contains("hush"))
    }
  }

  @Test("nor is another program's connection string given away by a service file, whoever names it")
  func services() async throws {
    let services = ScratchFile(
      """
      [host]
      host=me:hush@db.example
      [name]
      host=127.0.0.1
      port=1
      dbname=jdbc:postgresql://me:hush@db.example/books

      """, suffix: ".conf")
    for service in ["host", "name"] {
      for (arguments, variables) in [
        (["--database", "service=\(service)"], [:]), ([], ["PGSERVICE": service]),
      ] {
        let run = try await CommandRun.closebell(
          ["status"] + arguments,
          environment: variables.merging(["PGSERVICEFILE": services.path]) { $1 })
        #expect(run.exitCode == 78, "\(run.standardError)")
        #expect(!run.standardError.contains("hush") && !run.standardError.contains("db.example"))
      }
    }
  }
}
