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

  /// What looks like a connection string, with a password in it.
  static let secrets = [
    "host=db.example password=hush", "host=db.example PASSWORD = 'hush'",
    "postgresql://me:hush@db.example/books", "mysql://me:hush@db.example", "pwd=hush",
    "https://me:hush@db.example/",
  ]

  @Test("what looks like one is refused in every variable, and neither printed nor sent")
  func variables() async throws {
    let server = try #require(FakeServer(.refusePassword))
    let place = ["PGHOSTADDR": "127.0.0.1", "PGPORT": "\(server.port)", "PGSSLMODE": "disable"]
    for secret in Self.secrets {
      for name in [
        "PGDATABASE", "PGHOST", "PGUSER", "PGSERVICE", "PGSSLROOTCERT", "PGPASSFILE", "PGTZ",
        "CLOSEBELL_HOME", "CLOSEBELL_METRICS_FILE", "CLOSEBELL_WORKERS",
      ] {
        let run = try await CommandRun.closebell(
          ["status"], environment: place.merging([name: secret]) { $1 })
        #expect(run.exitCode == 78, "\(name)=\(secret): \(run.standardError)")
        #expect(run.standardError.contains(name), "\(name)=\(secret): \(run.standardError)")
        #expect(!run.standardError.contains("hush"), "\(name)=\(secret): \(run.standardError)")
        #expect(!run.standardError.contains("db.example"), "\(name): \(run.standardError)")
      }
    }
  }

  @Test("so it is as any argument but that of --database; the address of a page is none")
  func arguments() async throws {
    for secret in Self.secrets {
      for arguments in [
        ["status", secret], ["show", secret, "--date", "2017-06-30"], ["--databse", secret],
        ["run", "--portfolio", secret], ["run", "--portfolio=\(secret)"],
        ["import", "prices", secret], ["sequences", "check", secret], ["status", "--", secret],
        ["verify", "--workers=\(secret)"], ["irr", secret],
      ] {
        let run = try await CommandRun.closebell(
          arguments, environment: ["CLOSEBELL_DATABASE_URL": "postgresql://127.0.0.1:1/x"])
        #expect(run.exitCode == 64, "\(arguments): \(run.standardError)")
        #expect(run.standardError.contains("looks like a connection string"))
        #expect(!run.standardError.contains("hush"), "\(arguments): \(run.standardError)")
      }
    }
    let page = try await CommandRun.closebell(
      [
        "pause", "--reason", "see https://tracker.example/1?a=b", "--database",
        "postgresql://me@127.0.0.1:1/books?sslmode=disable",
      ])
    #expect(page.exitCode == 69, "\(page.standardError)")
  }

  @Test("what a server says while one logs in never reaches the terminal as it is")
  func shouting() async throws {
    let server = try #require(FakeServer(.shout))
    for options in [[], ["--verbose"]] as [[String]] {
      let run = try await CommandRun.closebell(
        ["status", "--database", server.conninfo(password: "x")] + options)
      #expect(run.exitCode == 69, "\(run.standardError)")
      #expect(!run.standardError.contains("\u{1B}") && !run.standardError.contains("\u{7}"))
      #expect(run.standardError.contains("shouted") == !options.isEmpty, "\(run.standardError)")
    }
  }
}
