extension ExportedActivity {
  /// The columns of its cells.
  static let columns = [
    "id", "portfolio", "date", "type", "symbol", "quantity", "price", "amount", "fee", "currency",
    "note", "multiplier",
  ]

  /// Its cells in a row of activities.
  ///
  /// - Parameters:
  ///   - portfolio: The portfolio that is set for the whole file, if one is.
  ///   - name: What rows without an id are called.
  func cells(portfolio: String?, name: String = "") -> [String] {
    [
      (id ?? name) + part, portfolio ?? self.portfolio ?? "", date, type, symbol, quantity, price,
      amount, fee, currency, note, multiplier,
    ]
  }
}
