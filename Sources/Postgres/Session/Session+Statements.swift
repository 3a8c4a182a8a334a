internal import CLibPQ

/// A statement as one connection has prepared it.
///
/// The types of the parameters belong to it: an eight-byte integer sent where the server expects
/// an eight-byte float would pass unnoticed, so each list of types gets a preparation of its own.
struct PreparedVariant {
  var sql: String
  var types: [UInt32]
  var serverName: String

  /// A parameter that is NULL (type 0) fits any type; the reverse does not hold.
  func fits(_ given: [UInt32]) -> Bool {
    types.count == given.count && zip(types, given).allSatisfy { $0 == $1 || $1 == 0 }
  }
}

/// The parameters of one call, encoded.
struct EncodedParameters: ~Copyable {
  var types: [UInt32] = []
  var buffer = BinaryBuffer()
  private var offsets: [Int] = []
  private var lengths: [Int32] = []

  init(_ values: [(any PostgresValue)?]) {
    for value in values {
      guard let value else {
        types.append(0)
        offsets.append(-1)
        lengths.append(0)
        continue
      }
      types.append(type(of: value).oid)
      let start = buffer.count
      value.encode(into: &buffer)
      offsets.append(start)
      lengths.append(Int32(buffer.count - start))
    }
  }

  /// Hands the parameters to a function of libpq.
  borrowing func withPointers(
    _ body: (
      _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?,
      _ lengths: UnsafePointer<Int32>?, _ formats: UnsafePointer<Int32>?
    ) -> Int32
  ) -> Int32 {
    let base = buffer.bytes.baseAddress
    let pointers = offsets.map { offset in
      offset < 0 ? nil : base.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
    }
    let formats = [Int32](repeating: 1, count: offsets.count)
    return pointers.withUnsafeBufferPointer { pointers in
      lengths.withUnsafeBufferPointer { lengths in
        formats.withUnsafeBufferPointer { formats in
          body(
            Int32(offsets.count), pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
        }
      }
    }
  }
}

extension Session {
  /// Sends a statement with its parameters, results in binary.
  ///
  /// - Returns: the call, whose answer the caller must take.
  func startStatement(
    _ statement: Statement, _ values: [(any PostgresValue)?]
  ) throws -> Call {
    let call = Call(name: statement.name)
    let parameters = EncodedParameters(values)
    if statement.isPrepared {
      let name = try prepare(statement, parameters.types)
      try start(call) {
        parameters.withPointers { count, values, lengths, formats in
          PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        }
      }
    } else {
      let types = parameters.types
      try start(call) {
        parameters.withPointers { count, values, lengths, formats in
          PQsendQueryParams(
            handle, statement.sql, count, types, values, lengths, formats, 1)
        }
      }
    }
    return call
  }

  /// Sends a statement and takes its whole answer.
  func runStatement(
    _ statement: Statement, _ values: [(any PostgresValue)?]
  ) throws -> ServerResult {
    let call = try startStatement(statement, values)
    defer { interrupter.leaveCall() }
    awaitAnswer()
    return try takeAnswer(call)
  }

  /// The server's name of the statement, which is prepared now if it is not yet.
  private func prepare(_ statement: Statement, _ types: [UInt32]) throws -> String {
    let known = variants[statement.name] ?? []
    if let first = known.first, first.sql != statement.sql {
      throw PostgresError(
        .usage, "two statements of this name have different texts",
        statementName: statement.name)
    }
    if let variant = known.first(where: { $0.fits(types) }) { return variant.serverName }
    let name = known.isEmpty ? statement.name : "\(statement.name)#\(known.count + 1)"
    _ = try exchange(Call(name: statement.name)) {
      PQsendPrepare(handle, name, statement.sql, Int32(types.count), types)
    }
    variants[statement.name, default: []].append(
      PreparedVariant(sql: statement.sql, types: types, serverName: name))
    return name
  }
}
