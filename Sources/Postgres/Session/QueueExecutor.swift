internal import Dispatch

/// Runs an actor's jobs on a dispatch queue of its own.
///
/// The calls of libpq block. On the shared pool of Swift's concurrency they would starve every
/// other task of the process; on a queue of their own they block only their own connection,
/// while the compiler still checks that nobody else touches it.
final class QueueExecutor: SerialExecutor {
  let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    queue.async { unowned.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }
}
