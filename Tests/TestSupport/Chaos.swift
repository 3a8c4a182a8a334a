import Glibc

/// How hard the tests of "exactly once" try, and what they count.
///
/// `make test` takes samples; `make chaos` sets `CLOSEBELL_CHAOS=1` and leaves nothing out.
public enum Chaos {
  /// Whether everything is tried, however long it takes.
  public static let isThorough = variable("CLOSEBELL_CHAOS") == "1"

  /// What samples and storms are drawn by: `CLOSEBELL_SEED`, else another one every second.
  public static let seed: UInt64 =
    variable("CLOSEBELL_SEED").flatMap { UInt64($0) } ?? UInt64(time(nil)) % 1_000_000

  /// A line for whoever runs the tests: on standard error, and at the end of the file named by
  /// `CLOSEBELL_CHAOS_REPORT`, if that is set.
  public static func report(_ line: String) {
    let text = "\(line) (CLOSEBELL_SEED=\(seed))\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    guard let path = variable("CLOSEBELL_CHAOS_REPORT"), let file = fopen(path, "a") else { return }
    fputs(text, file)
    fclose(file)
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}

extension SeededGenerator {
  /// The numbers of the tests' seed; `stream` gives each user numbers of its own.
  public init(stream: UInt64) { self.init(seed: Chaos.seed &* 0x9E37_79B9_7F4A_7C15 &+ stream) }
}
