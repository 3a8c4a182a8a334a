import Glibc
import TestSupport
import Testing

extension ScratchFolder {
  /// The path of a file in it, after writing it.
  func file(_ name: String, _ text: String) throws -> String {
    try write(text, to: "\(path)/\(name)")
    return "\(path)/\(name)"
  }
}

/// Files that commands write: regular ones, whole, in nobody's way.
@Suite struct WrittenFileTests {
  private static func status(_ path: String) throws -> stat {
    var status = stat()
    try #require(lstat(path, &status) == 0, "\(path) is gone")
    return status
  }

  /// Every way to name a file that is written, with the exit code where it is refused.
  private static func writers(
    _ books: OperatorBooks, to path: String
  ) -> [(arguments: [String], environment: [String: String], refused: Int)] {
    [
      (["run", "--date", "2017-06-29"], ["CLOSEBELL_METRICS_FILE": path], 0),
      (["sequences", "check", "--metrics", path], [:], 64),
      (["repair", "equity", "--plan", path], [:], 64),
      (["imports", "rejects", "1", "--output", path], [:], 64),
      (
        ["import", "instruments", Fixtures.path("demo/instruments.csv"), "--rejects", path], [:], 64
      ),
      (["imports", "resume", "1", "--rejects", path], [:], 64),
    ]
  }

  @Test("a pipe, a device, a folder, a socket and a link are neither replaced nor written to")
  func refused() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    let target = try folder.file("target", "precious")
    let pipe = "\(folder.path)/pipe"
    let (link, nested) = ("\(folder.path)/link", "\(folder.path)/folder")
    let device = "\(folder.path)/device"
    mkfifo(pipe, 0o600)
    symlink(target, link)
    mkdir(nested, 0o700)
    // Only root may make a device.
    let hasDevice = mknod(device, S_IFCHR | 0o600, 0x103) == 0
    let before = folder.names
    for place in [pipe, link, nested] + (hasDevice ? [device] : []) {
      let kind = try Self.status(place).st_mode & S_IFMT
      for (arguments, environment, refused) in Self.writers(books, to: place) {
        let result = try await books.run(
          arguments, environment: environment, timeLimit: .seconds(120))
        #expect(result.exitCode == refused, "\(arguments) \(place): \(result.standardError)")
        #expect(
          result.standardError.contains("only a regular file is replaced"),
          "\(arguments) \(place): \(result.standardError)")
        #expect(try Self.status(place).st_mode & S_IFMT == kind, "\(arguments) \(place)")
      }
    }
    #expect(try readText(target) == "precious")
    #expect(folder.names == before)
  }

  @Test("a file that is replaced keeps its mode and its owner")
  func modeAndOwner() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    for (mode, number) in zip([0o600, 0o640, 0o604] as [mode_t], 1...) {
      let path = try folder.file("metrics-\(number)", "old")
      chmod(path, mode)
      let owner: uid_t = geteuid() == 0 ? 65_534 : geteuid()
      chown(path, owner, geteuid() == 0 ? 65_534 : getegid())
      let before = try Self.status(path)
      let check = try await books.run("sequences", "check", "--metrics", path)
      #expect(check.exitCode == 0, "\(check.standardError)")
      let after = try Self.status(path)
      #expect(after.st_ino != before.st_ino, "it was replaced, not written into")
      #expect(after.st_mode == before.st_mode)
      #expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid)
      #expect(try readText(path).contains("closebell_sequences_checked"))
    }
  }

  @Test("a file that may not be written to is not replaced by a rename either")
  func writeProtected() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    let path = try folder.file("kept.csv", "precious")
    chmod(path, 0o444)
    // Root without its powers is held to modes as everybody is.
    let program = geteuid() == 0 ? "setpriv --bounding-set=-all --inh-caps=-all" : ""
    for arguments in [
      "imports rejects 1 --output", "repair equity --plan", "sequences check --metrics",
    ] {
      let refused = try await CommandRun.run(
        "/bin/sh", ["-c", "\(program) '\(CommandRun.closebell)' \(arguments) '\(path)'"],
        environment: ["CLOSEBELL_DATABASE_URL": books.url])
      #expect(refused.exitCode == 64, "\(arguments): \(refused.standardError)")
      #expect(refused.standardError.contains("may not be replaced: Permission denied"))
    }
    #expect(try readText(path) == "precious")
    #expect(folder.names == ["kept.csv"])
  }

  @Test("an import that refused nothing says that there is nothing to be written")
  func nothingToWrite() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    let result = try await books.run("imports", "rejects", "1", "--output", "\(folder.path)/r.csv")
    #expect(result.exitCode == 0)
    #expect(result.standardError == "log: import 1 has no refused rows to be written\n")
    #expect(folder.names == [])
  }

  @Test("a command that fails leaves no file of its own, whole or not")
  func nothingLeft() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    let failed = try await books.run(
      "imports", "rejects", "999", "--output", "\(folder.path)/rejects.csv")
    #expect(failed.exitCode == 65)
    #expect(folder.names == [])
    let bad = ScratchFile("date,symbol,close\n2017-06-29,NONE,1\n")
    #expect(try await books.run("import", "prices", bad.path).exitCode == 65)
    let job = try await books.integer("select max(id) from closebell.import_jobs")
    // Half-way: no file may grow.
    let shell = "trap '' XFSZ; ulimit -f 0; exec \"$0\" imports rejects \(job) --output \"$1\""
    let full = try await CommandRun.run(
      "/bin/bash", ["-c", shell, CommandRun.closebell, "\(folder.path)/rejects.csv"],
      environment: ["CLOSEBELL_DATABASE_URL": books.url])
    #expect(full.exitCode == 2, "\(full.standardError)")
    #expect(full.standardError.contains("File too large"))
    #expect(folder.names == [])
    let path = try folder.file("rejects.csv", "old")
    let again = try await books.run("imports", "rejects", "999", "--output", path)
    #expect(again.exitCode == 65)
    #expect(folder.names == ["rejects.csv"])
    #expect(try readText(path) == "old")
  }

  @Test("a place that cannot be written is known before the work is done")
  func knownBefore() async throws {
    let books = try await OperatorBooks.demo()
    let result = try await books.run(
      "import", "prices", Fixtures.path("demo/prices.csv"), "--rejects", "/nonexistent/r.csv")
    #expect(result.exitCode == 2)
    #expect(result.standardError == "error: /nonexistent/r.csv: No such file or directory\n")
    #expect(result.standardOutput == "")
  }
}
