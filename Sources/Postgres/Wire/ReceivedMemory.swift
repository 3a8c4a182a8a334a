internal import CLibPQ

/// The memory into which libpq receives answers: that of the whole process.
public enum ReceivedMemory {
  /// Takes memory from the system in large steps and keeps what was given back; to be called by
  /// a program at its beginning.
  ///
  /// Work comes in chunks that are alike: what one gives back the next one takes. By default an
  /// answer of a megabyte is unmapped after each, and threads grow their heaps page by page; a
  /// tenth of a night's own time went into faults and system calls. Threads share a heap a
  /// processor, since a connection's next answer may come on another thread than its last.
  public static func keep() { pq_keep_memory() }
}
