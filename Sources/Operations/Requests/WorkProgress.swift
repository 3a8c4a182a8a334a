internal import Synchronization

/// How far work is whose size is known, for whoever looks.
package final class WorkProgress: Sendable {
  private let ask = Mutex<(@Sendable () -> (done: Int, of: Int)?)?>(nil)

  package init() {}

  /// How much is done, and of how much; nil before that is known.
  package var current: (done: Int, of: Int)? { ask.withLock { $0 }?() }

  /// Says where to look.
  func follows(_ work: @escaping @Sendable () -> (done: Int, of: Int)?) {
    ask.withLock { $0 = work }
  }
}
