extension RowFields {
  /// Takes texts for the fields of a row.
  static func reading<R>(
    _ texts: [String], _ body: (RowFields) throws(RowRefusal) -> R
  ) throws(RowRefusal) -> R {
    var bytes: [UInt8] = []
    var fields: [RowScan.Field] = []
    for text in texts {
      let start = bytes.count
      bytes.append(contentsOf: text.utf8)
      fields.append(RowScan.Field(start: start, end: bytes.count, isInScratch: true))
    }
    let result: Result<R, RowRefusal> = bytes.withUnsafeBufferPointer { bytes in
      fields.withUnsafeBufferPointer { fields in
        do throws(RowRefusal) {
          return .success(try body(RowFields(bytes: bytes, scratch: bytes, fields: fields)))
        } catch {
          return .failure(error)
        }
      }
    }
    return try result.get()
  }
}

extension Cells {
  /// Takes texts for the cells of a row.
  static func reading<R>(
    _ texts: [String], _ header: Header, _ body: (Cells) throws(RowRefusal) -> R
  ) throws(RowRefusal) -> R {
    try RowFields.reading(texts) { fields throws(RowRefusal) in
      try body(Cells(fields: fields, header: header))
    }
  }
}
