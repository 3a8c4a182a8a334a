import Glibc

/// A file under `/tmp` that goes with its last user.
public final class ScratchFile: Sendable {
  /// Its path.
  public let path: String

  /// Writes a file; the name ends in `suffix`.
  public init(_ bytes: [UInt8], suffix: String = ".csv") {
    let wild = String(repeating: "X", count: 6)
    var name = Array("/tmp/closebell-scratch-\(wild)\(suffix)".utf8CString)
    let descriptor = mkstemps(&name, Int32(suffix.utf8.count))
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    close(descriptor)
    replace(with: bytes)
  }

  /// Writes a text.
  public convenience init(_ text: String, suffix: String = ".csv") {
    self.init(Array(text.utf8), suffix: suffix)
  }

  /// Writes other bytes in place of these.
  public func replace(with bytes: [UInt8]) {
    guard let stream = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, stream)
    fclose(stream)
  }

  /// What it holds now; nil where it is gone.
  public var bytes: [UInt8]? {
    guard let stream = fopen(path, "r") else { return nil }
    defer { fclose(stream) }
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&block, 1, block.count, stream)
      if count == 0 { return all }
      all += block[..<count]
    }
  }

  /// What it holds now, as text.
  public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// The same, compressed by `gzip`.
  public func compressed() async throws -> ScratchFile {
    _ = try await CommandRun.run("/usr/bin/gzip", ["-k", path])
    let packed = ScratchFile(taking: path + ".gz")
    return packed
  }

  private init(taking path: String) { self.path = path }

  deinit { unlink(path) }
}
