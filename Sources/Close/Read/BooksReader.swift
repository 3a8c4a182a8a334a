internal import Accounting
package import Postgres
internal import Storage

/// The closed books as they were at one moment: whatever is read through one reader is of one
/// snapshot of the database.
///
/// Its only door is ``Connection/readBooks(_:)``, which lends a reader and takes it back: what
/// takes several statements to read, such as a date with its holdings, is a method of the reader.
/// It would be noncopyable, but the optimizer of Swift 6.3 fails on that.
package struct BooksReader: StillBooks {
  let connection: Connection

  fileprivate init(_ connection: Connection) { self.connection = connection }
}

extension Connection {
  /// Reads the closed books in one transaction, repeatable read and read only, in which all
  /// statements see what was committed before the first.
  ///
  /// What commits meanwhile is not held up and not seen. A server that may only be read will do.
  package func readBooks<R>(_ body: (BooksReader) throws -> R) throws -> R {
    try withoutActuallyEscaping(body) { body in
      // It is called where it comes from: `db` is this very connection.
      nonisolated(unsafe) let body = body
      return try transaction(isolation: .repeatableRead, readOnly: true) { db in
        try body(BooksReader(db))
      }
    }
  }
}

/// The closed books while nobody can close anything: who locks a period reads them so.
///
/// A snapshot would not do: it may be older than the lock, which was waited for. From then on every
/// statement sees the same slots, since claims and writes wait until the transaction has ended.
struct HeldBooks: StillBooks {
  let connection: Connection

  /// Takes the lock on periods; it is held until the caller's transaction ends.
  init(holding db: isolated Connection) throws {
    try PeriodLocks.own(on: db)
    connection = db
  }
}

/// Closed books that do not change between one statement and the next.
protocol StillBooks {
  var connection: Connection { get }
}

extension StillBooks {
  /// Runs statements on the connection, which is the one that the caller stands on.
  func read<R: Sendable>(_ body: (isolated Connection) throws -> R) rethrows -> R {
    try connection.assumeIsolated(body)
  }
}
