internal import CLibPQ

extension Connection {
  /// Runs a `copy … from stdin (format binary)` with the rows that `body` writes.
  ///
  /// An error thrown by `body` ends the COPY without a row stored, and is thrown on; the
  /// connection can be used again.
  ///
  /// - Returns: the number of rows, as the server counted them.
  /// - Throws: `PostgresError`, also where the table did not keep every row.
  @discardableResult
  public func copyIn(
    _ name: String, _ sql: String, _ body: (inout CopyWriter) throws -> Void
  ) throws -> Int {
    var sent = 0
    let kept = try session.copyIn(name, sql, isBinary: true) { sink in
      var writer = CopyWriter(copyBuffer.take(), sink)
      do {
        try body(&writer)
      } catch {
        copyBuffer.spare = writer.abandon()
        throw error
      }
      sent = writer.rowCount
      copyBuffer.spare = writer.finish()
    }
    guard kept == sent else {
      throw PostgresError(
        .unexpectedAnswer, "the table kept \(kept) of \(sent) rows",
        hint: "look for a trigger or a rule that drops them", statementName: name,
        reachedServer: true)
    }
    return kept
  }

  /// Runs a `copy … from stdin` in the text or CSV format with the bytes that `body` pushes; or
  /// in the binary format, with bytes that were encoded before.
  ///
  /// - Returns: the number of rows, as the server counted them.
  @discardableResult
  public func copyInText(
    _ name: String, _ sql: String, isBinary: Bool = false,
    _ body: (inout CopyTextWriter) throws -> Void
  ) throws -> Int {
    try session.copyIn(name, sql, isBinary: isBinary) { sink in
      var writer = CopyTextWriter(sink)
      try body(&writer)
    }
  }

  /// Runs a `copy … to stdout (format binary)` and hands over its rows as they arrive.
  ///
  /// An error thrown by `row` stops the COPY and is thrown on; within `row` no other
  /// statement can be run.
  ///
  /// - Returns: the number of rows.
  @discardableResult
  public func copyOut(
    _ name: String, _ sql: String, _ row: (inout RowReader) throws -> Void
  ) throws -> Int {
    var reader = RowReader(statementName: name)
    var hasHeader = false
    var count = 0
    try session.copyOut(name, sql, isBinary: true) { bytes in
      var cursor = FieldCursor(bytes)
      if !hasHeader {
        cursor.offset = try copyHeaderBytes(bytes)
        hasHeader = true
      }
      // libpq hands over one row at a time; the header comes with the first, or alone.
      while !cursor.isAtEnd {
        let fieldCount: Int16 = try cursor.integer()
        if fieldCount < 0 { return }
        reader.turn(to: cursor, fieldCount: Int(fieldCount))
        try row(&reader)
        for _ in 0..<fieldCount { _ = try cursor.field() }
        count += 1
      }
    }
    return count
  }

  /// Runs a `copy … to stdout` in the text, CSV or binary format and hands over its bytes.
  ///
  /// The bytes come line by line, binary ones row by row, and are valid only during the call.
  public func copyOutText(
    _ name: String, _ sql: String, isBinary: Bool = false,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try session.copyOut(name, sql, isBinary: isBinary, body)
  }

  /// The length of the header: signature, flags, and an extension that may follow.
  private func copyHeaderBytes(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    guard bytes.count >= 19, bytes[0] == UInt8(ascii: "P"), bytes[6] == UInt8(ascii: "\n") else {
      throw CodecError.malformed("the header of a binary COPY is missing")
    }
    var cursor = FieldCursor(bytes)
    cursor.offset = 15
    return 19 + Int(try cursor.integer() as Int32)
  }
}

extension Session {
  /// The COPY into the server as one call, whatever the number of pieces.
  func copyIn(
    _ name: String, _ sql: String, isBinary: Bool, _ body: (CopySink) throws -> Void
  ) throws -> Int {
    let call = Call(name: name)
    try start(call) { PQsendQuery(handle, sql) }
    defer { interrupter.leaveCall() }
    try expect(PGRES_COPY_IN, isBinary, call)
    if fault == .stopInCopy { pq_stop_self() }
    let sink = CopySink(self)
    do {
      try body(sink)
    } catch {
      _ = PQputCopyEnd(handle, "the client gave up")
      discardAnswer()
      if !isAlive { interrupter.noteLoss() }
      throw error
    }
    _ = PQputCopyEnd(handle, sink.failed ? "the client was interrupted" : nil)
    awaitAnswer()
    do {
      return try takeAnswer(call).rowsAffected
    } catch let error as PostgresError where sink.failed && isAlive {
      // The server reports our own giving up; the reason for it is the interruption.
      guard let cause = interrupter.cause else { throw error }
      throw interruption(cause, call)
    }
  }

  /// The COPY out of the server as one call; a failure of `body` stops it.
  func copyOut(
    _ name: String, _ sql: String, isBinary: Bool,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let call = Call(name: name)
    try start(call) { PQsendQuery(handle, sql) }
    defer { interrupter.leaveCall() }
    awaitAnswer()
    try expect(PGRES_COPY_OUT, isBinary, call)
    var piece: UnsafeMutablePointer<CChar>?
    do {
      while true {
        let length = PQgetCopyData(handle, &piece, 0)
        if length <= 0 { break }
        defer { PQfreemem(piece) }
        try body(UnsafeRawBufferPointer(start: piece, count: Int(length)))
      }
    } catch {
      stopAndDiscard()
      guard let codec = error as? CodecError else { throw error }
      throw PostgresError(
        .unexpectedAnswer, codec.reason, statementName: name, reachedServer: true)
    }
    _ = try takeAnswer(call)
  }

  /// Takes the first answer to a COPY, which must announce the direction and the format.
  private func expect(_ status: ExecStatusType, _ isBinary: Bool, _ call: Call) throws {
    guard let first = PQgetResult(handle) else { throw lossAfterSend(call) }
    let result = ServerResult(first)
    if result.isError {
      let error = failure(result.pointer, call)
      discardAnswer()
      throw error
    }
    guard result.status == status, (PQbinaryTuples(result.pointer) == 1) == isBinary else {
      if result.status == PGRES_COPY_IN { _ = PQputCopyEnd(handle, "not as expected") }
      stopAndDiscard()
      throw PostgresError(
        .usage,
        "not a COPY \(status == PGRES_COPY_IN ? "from stdin" : "to stdout") in the "
          + (isBinary ? "binary" : "text or CSV") + " format",
        statementName: call.name, reachedServer: true)
    }
  }
}
