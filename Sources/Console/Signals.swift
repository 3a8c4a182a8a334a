import Dispatch
import Glibc

/// SIGINT and SIGTERM, delivered to a closure with their count so far.
package final class Signals: @unchecked Sendable {
  // Made once, and then only cancelled, which a source takes from any thread.
  private let sources: [any DispatchSourceSignal]
  private let before: [__sighandler_t?]

  package init(_ received: @escaping @Sendable (Int) -> Void) {
    let queue = DispatchQueue(label: "closebell.signals")
    let count = Counter()
    before = Self.numbers.map { signal($0, SIG_IGN) }
    sources = Self.numbers.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { received(count.next()) }
      source.resume()
      return source
    }
  }

  /// Takes no more signals: from here on they do what they did before.
  package func restore() {
    for source in sources { source.cancel() }
    for (number, disposition) in zip(Self.numbers, before) { signal(number, disposition) }
  }

  /// Has the ends of children told, as it is unless whoever started us ignores them.
  package static func hearOfChildren() { signal(SIGCHLD, SIG_DFL) }

  /// Runs `body`, which waits for a person: whoever else takes signals would wait for it too, so a
  /// signal ends the program meanwhile.
  static func endingTheProgram<R>(_ body: () throws -> R) rethrows -> R {
    let before = numbers.map { signal($0) { _ in _exit(130) } }
    defer { for (number, disposition) in zip(numbers, before) { signal(number, disposition) } }
    return try body()
  }

  private static let numbers = [SIGINT, SIGTERM]

  /// Counts on the one queue that the signals arrive on.
  private final class Counter: @unchecked Sendable {
    // Only ever touched on the serial queue above.
    private var value = 0

    func next() -> Int {
      value += 1
      return value
    }
  }
}
