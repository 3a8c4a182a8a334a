import Glibc
import Problems
import Synchronization
package import Text

/// Standard output: the one door to it, buffered, and checked to the last byte.
///
/// A result that got lost must not look like one that is short. So nobody else writes to standard
/// output; a write that fails is remembered, nothing is written after it, and ``finish(_:)`` tells
/// it and turns the exit code of a success into 2. A pipe that nobody reads any more ends the
/// program by SIGPIPE, as it does others, but not before everything else is done: metrics are
/// written, and claims given back.
package enum StandardOutput {
  /// A line for a reader: what a terminal would obey, or would begin another one, written out.
  package static func line(_ text: String) { lines([text]) }

  /// Lines for a reader.
  package static func lines(_ lines: [String]) { add(Array(lines.shownLines.utf8)) }

  /// One JSON value on a line.
  package static func json(_ value: JSON) { data(value.text + "\n") }

  /// What another program reads, as it is; a terminal is shown what it would obey.
  package static func data(_ text: String) {
    add(Array((isTerminal ? text.shownLines : text).utf8))
  }

  /// Bytes as they are, for another program; a terminal is shown what it would obey.
  package static func data(_ bytes: [UInt8]) {
    guard isTerminal else { return add(bytes) }
    data(String(decoding: bytes, as: UTF8.self))
  }

  /// Writes what is there: before somebody is asked about it, or when a part of the work is done.
  package static func flush() { state.withLock { $0.flush() } }

  /// Stops work whose result is not read or kept any more.
  package static func requireWritten() throws {
    if state.withLock({ $0.failure }) != nil { throw Ended(.failed) }
  }

  /// Writes what is left, and says what did not arrive.
  ///
  /// - Parameter code: The exit code of what was done.
  /// - Returns: The exit code of the program: 2 where the result of a success, or the list of what
  ///   is amiss, did not arrive. Nothing, where the program ends by SIGPIPE.
  package static func finish(_ code: Int32) -> Int32 {
    let failure = state.withLock { state -> Int32? in
      state.flush()
      // Some file systems say only now that there was no room.
      if state.isUsed, state.failure == nil, close(STDOUT_FILENO) != 0 { state.failure = errno }
      return state.failure
    }
    guard let failure else { return code }
    if endsBySignal(failure) { raise(SIGPIPE) }
    let reason = String(cString: strerror(failure))
    Terminal.complain(
      StatedProblem(
        ProblemCode("result_lost", .failed),
        "the result could not be written to standard output: \(reason)"))
    return lostCode(code)
  }

  /// The exit code as far as it is known: of what was written so far, and what it was done for.
  package static func code(for code: Int32) -> Int32 {
    flush()
    guard let failure = state.withLock({ $0.failure }) else { return code }
    return endsBySignal(failure) ? 128 + SIGPIPE : lostCode(code)
  }

  /// Whether nobody reads our pipe any more, and such a signal ends us: one may be started with it
  /// ignored.
  private static func endsBySignal(_ failure: Int32) -> Bool {
    var action = sigaction()
    return failure == EPIPE && sigaction(SIGPIPE, nil, &action) == 0
      && action.__sigaction_handler.sa_handler == nil
  }

  private static func lostCode(_ code: Int32) -> Int32 {
    code == 0 || code == 1 ? ProblemKind.failed.exitCode : code
  }

  /// A standard stream that came closed stays so: the first file or connection that is opened would
  /// take its number, and what is written for a reader would go there.
  package static func reserveStandardStreams() {
    // A null device that is opened the wrong way round: whoever uses it fails.
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  private struct State {
    var buffer: [UInt8] = []
    var isUsed = false
    /// The first error, after which nothing is written.
    var failure: Int32?

    mutating func flush() {
      if failure == nil { failure = writeAll(buffer[...], to: STDOUT_FILENO) }
      buffer.removeAll(keepingCapacity: true)
    }
  }

  /// How wide the terminal is that it goes to; nil where it goes elsewhere, or nobody knows.
  package static var columns: Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  private static let state = Mutex(State())
  private static let isTerminal = isatty(STDOUT_FILENO) == 1
  private static let roomBytes = 1 << 16

  private static func add(_ bytes: [UInt8]) {
    state.withLock { state in
      state.isUsed = true
      state.buffer += bytes
      if isTerminal || state.buffer.count >= roomBytes { state.flush() }
    }
  }
}

/// Writes all of it, through interruptions and to those who read slowly.
///
/// A pipe that nobody reads is an error like others, and no signal in the middle of the work.
///
/// - Returns: nil, or the error (`errno`) that kept the rest from being written.
func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32? {
  var (pipe, before) = (sigset_t(), sigset_t())
  sigemptyset(&pipe)
  sigaddset(&pipe, SIGPIPE)
  pthread_sigmask(SIG_BLOCK, &pipe, &before)
  let failure = writeUnsignalled(bytes, to: descriptor)
  // The signal came to this thread alone, and waits for it.
  var none = timespec()
  if failure == EPIPE { while sigtimedwait(&pipe, nil, &none) < 0, errno == EINTR {} }
  pthread_sigmask(SIG_SETMASK, &before, nil)
  return failure
}

private func writeUnsignalled(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32? {
  var rest = bytes
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      // Somebody made this stream one that does not wait; so the waiting is done here.
      var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&ready, 1, -1)
    } else if errno != EINTR {
      return errno
    }
  }
  return nil
}
