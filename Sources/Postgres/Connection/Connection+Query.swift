internal import CLibPQ

extension Connection {
  /// Runs a statement and returns the number of rows it touched.
  @discardableResult
  public func execute(_ statement: Statement, _ values: (any PostgresValue)?...) throws -> Int {
    try execute(statement, parameters: values)
  }

  /// Runs a statement and returns the number of rows it touched.
  @discardableResult
  public func execute(_ statement: Statement, parameters values: [(any PostgresValue)?]) throws
    -> Int
  {
    try session.runStatement(statement, values).rowsAffected
  }

  /// Runs SQL text without parameters, which may hold several statements; results are dropped.
  ///
  /// Unless the text begins transactions itself, its statements succeed or fail together.
  public func execute(sql: String) throws {
    _ = try session.exchange(Session.Call(name: "")) { PQsendQuery(session.handle, sql) }
  }

  /// Runs a statement and returns its rows, decoded.
  public func rows<R>(
    _ statement: Statement, _ values: (any PostgresValue)?...,
    as decode: (inout RowReader) throws -> R
  ) throws -> [R] {
    try rows(statement, parameters: values, as: decode)
  }

  /// Runs a statement and returns its rows, decoded.
  public func rows<R>(
    _ statement: Statement, parameters values: [(any PostgresValue)?],
    as decode: (inout RowReader) throws -> R
  ) throws -> [R] {
    let result = try session.runStatement(statement, values)
    var reader = RowReader(result: result.pointer, statementName: statement.name)
    var decoded: [R] = []
    decoded.reserveCapacity(result.rowCount)
    for row in 0..<result.rowCount {
      reader.turn(to: Int32(row))
      decoded.append(try decode(&reader))
    }
    return decoded
  }

  /// Runs a statement that returns at most one row; `nil` if there is none.
  ///
  /// - Throws: an error of kind `unexpectedAnswer` if there are more.
  public func row<R>(
    _ statement: Statement, _ values: (any PostgresValue)?...,
    as decode: (inout RowReader) throws -> R
  ) throws -> R? {
    try row(statement, parameters: values, as: decode)
  }

  /// Runs a statement that returns at most one row; `nil` if there is none.
  ///
  /// - Throws: an error of kind `unexpectedAnswer` if there are more.
  public func row<R>(
    _ statement: Statement, parameters values: [(any PostgresValue)?],
    as decode: (inout RowReader) throws -> R
  ) throws -> R? {
    let result = try session.runStatement(statement, values)
    guard result.rowCount <= 1 else {
      throw PostgresError(
        .unexpectedAnswer, "\(result.rowCount) rows where at most one is due",
        statementName: statement.name, reachedServer: true)
    }
    guard result.rowCount == 1 else { return nil }
    var reader = RowReader(result: result.pointer, statementName: statement.name)
    return try decode(&reader)
  }

  /// Runs a statement and hands over its rows as they arrive, in bounded memory.
  ///
  /// An error thrown by `body` stops the statement on the server and is thrown on; within
  /// `body` no other statement can be run.
  ///
  /// - Returns: the number of rows.
  @discardableResult
  public func forEachRow(
    _ statement: Statement, _ values: (any PostgresValue)?...,
    do body: (inout RowReader) throws -> Void
  ) throws -> Int {
    try forEachRow(statement, parameters: values, do: body)
  }

  /// Runs a statement and hands over its rows as they arrive, in bounded memory.
  ///
  /// An error thrown by `body` stops the statement on the server and is thrown on; within
  /// `body` no other statement can be run.
  ///
  /// - Returns: the number of rows.
  @discardableResult
  public func forEachRow(
    _ statement: Statement, parameters values: [(any PostgresValue)?],
    do body: (inout RowReader) throws -> Void
  ) throws -> Int {
    let call = try session.startStatement(statement, values)
    defer { session.interrupter.leaveCall() }
    _ = PQsetSingleRowMode(session.handle)
    session.awaitAnswer()
    var count = 0
    do {
      while let next = PQgetResult(session.handle) {
        let result = ServerResult(next)
        if result.isError { throw session.failure(result.pointer, call) }
        guard result.status == PGRES_SINGLE_TUPLE else { continue }
        var reader = RowReader(result: result.pointer, statementName: statement.name)
        try body(&reader)
        count += 1
      }
    } catch {
      session.stopAndDiscard()
      throw error
    }
    guard session.isAlive else { throw session.lossAfterSend(call) }
    return count
  }
}

extension Session {
  /// Stops a statement whose remaining rows nobody wants, and takes what still comes.
  func stopAndDiscard() {
    if PQtransactionStatus(handle) == PQTRANS_ACTIVE, let cancel = PQgetCancel(handle) {
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
        _ = PQcancel(cancel, text.baseAddress, 256)
      }
      PQfreeCancel(cancel)
    }
    discardAnswer()
  }
}
