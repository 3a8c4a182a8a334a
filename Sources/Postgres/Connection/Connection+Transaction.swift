internal import CLibPQ

/// What a transaction sees of others that run beside it.
public enum IsolationLevel: String, Sendable {
  /// Each statement sees what was committed before it.
  case readCommitted = "read committed"
  /// All statements see what was committed before the first.
  case repeatableRead = "repeatable read"
  /// As if transactions ran one after the other; else error 40001, and one tries again.
  case serializable = "serializable"
}

extension Connection {
  /// Whether a transaction is open on this connection.
  public var isInTransaction: Bool { session.isInTransaction }

  /// Runs `body` in a transaction: begin, body, commit; or a rollback if the body throws.
  ///
  /// The body's error is thrown as it is. ``TransactionError`` is thrown if beginning,
  /// committing or rolling back fails; a commit whose answer was lost says so there.
  ///
  /// - Parameters:
  ///   - survivesCrash: Whether the commit waits for the disk. Where it does not, all sessions see
  ///     it at once as well, and a crash of the server may undo it for all of them.
  public func transaction<R>(
    isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
    lockTimeout: String? = nil, idleTimeout: String? = nil, survivesCrash: Bool = true,
    _ body: (isolated Connection) throws -> R
  ) throws -> R {
    guard !session.isInTransaction else {
      throw PostgresError(
        .usage, "a transaction is open already", hint: "use savepoint for a part of it")
    }
    do {
      let mode = readOnly ? "read only" : "read write"
      let locals = [
        ("lock_timeout", lockTimeout), ("idle_in_transaction_session_timeout", idleTimeout),
        ("synchronous_commit", survivesCrash ? nil : "off"),
      ]
      _ = try session.command(
        "begin",
        locals.reduce("begin isolation level \(isolation.rawValue), \(mode)") { sql, local in
          local.1.map { "\(sql); set local \(local.0) = '\($0)'" } ?? sql
        })
    } catch {
      throw TransactionError(step: .begin, cause: error, commitOutcomeUnknown: false)
    }
    let result: R
    do {
      result = try body(self)
    } catch {
      try rollBack(after: error)
      throw error
    }
    try commit()
    return result
  }

  /// Runs `body` so that, if it throws, only its own statements are undone.
  ///
  /// It needs an open transaction. Savepoints nest.
  public func savepoint<R>(_ body: (isolated Connection) throws -> R) throws -> R {
    guard session.isInTransaction else {
      throw PostgresError(.usage, "a savepoint needs an open transaction")
    }
    session.savepointDepth += 1
    defer { session.savepointDepth -= 1 }
    let name = "savepoint_\(session.savepointDepth)"
    _ = try session.command("savepoint", "savepoint \(name)")
    let result: R
    do {
      result = try body(self)
    } catch {
      guard session.isAlive else { throw error }
      do {
        _ = try session.command(
          "rollback to savepoint", "rollback to savepoint \(name); release savepoint \(name)",
          isInterruptible: false)
      } catch let failure {
        throw TransactionError(
          step: .rollback, cause: failure, bodyError: error, commitOutcomeUnknown: false)
      }
      throw error
    }
    _ = try session.command("release savepoint", "release savepoint \(name)")
    return result
  }

  /// Undoes the transaction; on a dead connection the server does it by itself.
  private func rollBack(after bodyError: any Error) throws {
    guard session.isAlive else { return }
    do {
      _ = try session.command("rollback", "rollback", isInterruptible: false)
    } catch {
      throw TransactionError(
        step: .rollback, cause: error, bodyError: bodyError, commitOutcomeUnknown: false)
    }
  }

  private func commit() throws {
    let tag: String
    do {
      tag = try session.command("commit", "commit")
    } catch {
      var unknown = error.reachedServer && error.connectionIsLost
      if let state = error.sqlState,
        [SQLState.statementCompletionUnknown, SQLState.transactionResolutionUnknown].contains(state)
      {
        unknown = true
      }
      var failure = TransactionError(
        step: .commit, cause: error, commitOutcomeUnknown: unknown)
      // A commit that was never sent, or was refused, leaves the transaction open.
      if session.isInTransaction {
        do {
          _ = try session.command("rollback", "rollback", isInterruptible: false)
        } catch {
          failure.cause.detail = "rolling back failed as well: \(error.message)"
        }
      }
      throw failure
    }
    // The server answers the commit of a failed transaction with a rollback and no error.
    guard tag == "COMMIT" else {
      throw TransactionError(
        step: .commit,
        cause: PostgresError(
          .server, "the transaction was rolled back because a statement in it had failed",
          hint: "let the statement's error leave the body, or use savepoint",
          sqlState: SQLState.failedTransaction,
          statementName: "commit", reachedServer: true),
        commitOutcomeUnknown: false)
    }
  }
}

extension Session {
  /// Whether a transaction is open, failed or not: `PQtransactionStatus`.
  var isInTransaction: Bool {
    guard isAlive else { return false }
    let status = PQtransactionStatus(handle)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
  }

  /// Runs a command of transaction control and returns the server's tag.
  func command(
    _ name: String, _ sql: String, isInterruptible: Bool = true
  ) throws(PostgresError) -> String {
    let call = Call(name: name, isInterruptible: isInterruptible)
    do {
      return try exchange(call) { PQsendQuery(handle, sql) }.commandTag
    } catch let error as PostgresError {
      throw error
    } catch {
      throw PostgresError(.unexpectedAnswer, "\(error)", statementName: name)
    }
  }
}
