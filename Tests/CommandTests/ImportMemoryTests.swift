import Glibc
import Synchronization
import TestSupport
import Testing

/// What an import holds in memory.
@Suite struct ImportMemoryTests {
  /// The largest resident size of a process so far, in kilobytes; nil once it has ended.
  private static func peak(of process: Int32) -> Int? {
    guard let stream = fopen("/proc/\(process)/status", "r") else { return nil }
    defer { fclose(stream) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, stream) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard text.hasPrefix("VmHWM:") else { continue }
      return Int(text.filter(\.isNumber))
    }
    return nil
  }

  private static func peakOfImport(_ rows: Int) async throws -> Int {
    let books = try await ImportJobTests.books()
    var text = "id,portfolio,date,type,symbol,quantity,price\n"
    for number in 1...rows { text += "T-\(number),ALPHA,2020-02-03,buy,ACME,\(number),1.5\n" }
    let file = ScratchFile(text)
    let largest = Mutex(0)
    // It stands still before its last call, where its largest size can be read.
    let result = try await books.run(
      ["import", "activities", file.path, "--batch-size", "1000"],
      environment: ["CLOSEBELL_FAULT": "import-job-finish:stop"]
    ) { process in
      try await process.waitUntilAtRest()
      largest.withLock { $0 = Self.peak(of: process.processID) ?? 0 }
      process.send(SIGCONT)
    }
    #expect(result.exitCode == 0, "\(result.standardError)")
    return largest.withLock { $0 }
  }

  @Test("memory does not grow with the file")
  func memory() async throws {
    let small = try await Self.peakOfImport(4_000)
    let large = try await Self.peakOfImport(60_000)
    #expect(small > 5_000)
    // The rows alone would be some 20 MB.
    #expect(large - small < 6_000, "\(small) kB, then \(large) kB")
  }
}
