package import Close
package import Operations
import Synchronization
import Text

/// One line on a terminal that says how far the work is; nothing where output is not a terminal.
package final class ProgressLine: RunObserver {
  private struct State {
    var drawn: ContinuousClock.Instant?
  }

  private let isShown: Bool
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  /// A terminal that is drawn on more often flickers.
  private static let pause = Duration.milliseconds(200)

  package init(isQuiet: Bool) { isShown = !isQuiet && Terminal.isInteractive }

  package func observe(_ event: RunEvent) {
    guard isShown else { return }
    switch event {
    case .advanced(_, let total) where total.completed > 0:
      draw {
        let rate = Readable.whole(Double(total.completed) / $0)
        return "closing: \(total.completed) slots, \(rate) slots/s"
      }
    case .ended: erase()
    default: break
    }
  }

  /// Takes the line away, so that what comes next stands alone.
  func erase() {
    let isDrawn = state.withLock { state in
      defer { state.drawn = nil }
      return state.drawn != nil
    }
    if isDrawn { Terminal.draw("\r\u{1B}[K") }
  }

  /// Draws the line again and again while work goes on whose size is known, with the time left.
  package func follow(verb: String, _ progress: WorkProgress) async {
    guard isShown else { return }
    while (try? await Task.sleep(for: Self.pause)) != nil {
      guard let (done, total) = progress.current, done > 0 else { continue }
      draw { seconds in
        let rate = Double(done) / seconds
        let left = Readable.whole(Double(max(total - done, 0)) / rate + 0.5)
        let speed = "\(Readable.whole(rate)) slots/s, \(left) s left"
        return "\(verb): \(done) of \(total) slots, \(speed)"
      }
    }
  }

  /// - Parameter text: The line, after so many seconds.
  private func draw(_ text: (Double) -> String) {
    let now = ContinuousClock.now
    let isDue = state.withLock { state in
      guard now - (state.drawn ?? started) >= Self.pause else { return false }
      state.drawn = now
      return true
    }
    guard isDue else { return }
    Terminal.draw("\r\u{1B}[K" + text(max((now - started) / .seconds(1), 0.001)))
  }
}
