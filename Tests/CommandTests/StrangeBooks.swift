import TestSupport

/// Portfolios in which nothing is usual: shorts over splits, options at zero, numbers at limits.
///
/// They are closed on Monday 2024-03-04, then on Friday over the gap. NORATE and TOOBIG cannot be
/// closed; all the others can.
enum StrangeBooks {
  static let dates = ["2024-03-04", "2024-03-08"]

  /// A copy of the books as they stand after both closes.
  static func closed() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "strange_books") { url in
        let books = OperatorBooks(url: url)
        try await books.expectDone("migrate")
        for (kind, csv) in files {
          let result = try await books.run(["import", kind, "-"], input: csv)
          guard result.exitCode == 0 else {
            throw OperatorBooks.Unexpected(description: "\(kind): \(result.standardError)")
          }
        }
        for date in dates { _ = try await books.run("run", "--date", date, "--no-catch-up") }
      })
  }

  static let files: [(kind: String, csv: String)] = [
    (
      "instruments",
      """
      symbol,name,kind,currency,multiplier,pricing
      NVX,Splits while short,equity,USD,1,quoted
      ZED,Underlying,equity,USD,1,quoted
      ZEDP50,Put at 50,option,USD,100,quoted
      MOTE,Dear,equity,USD,1,quoted
      DUST,Cheap,equity,USD,1,quoted
      HUGE,Both,equity,USD,1,quoted
      ACME,Sold and bought,equity,USD,1,quoted
      FDAX,Future,future,EUR,25,quoted
      PENNY,Splits in reverse,equity,USD,1,quoted
      NYSE1,Pays,equity,USD,1,quoted
      7203T,In yen,equity,JPY,1,quoted
      ZIM,Inflated,equity,ZWL,1,quoted

      """
    ),
    (
      "portfolios",
      """
      code,name,base_currency,inception_date,lot_relief,cash,dividends
      SHORTIE,Short over a split in a gap,EUR,2024-03-04,fifo,base,automatic
      STRIKE,Assigned at the strike,USD,2024-03-04,fifo,base,recorded
      LIMITS,Every digit,USD,2024-03-04,fifo,base,recorded
      AGAIN,Sold and reopened on one date,USD,2024-03-04,fifo,base,recorded
      CONTRACT,Future through expiry,USD,2024-03-04,fifo,per_currency,recorded
      FRACTION,Reverse split,USD,2024-03-04,fifo,base,recorded
      WITHHELD,Fee and tax on a dividend,EUR,2024-03-04,average,base,recorded
      BORROWED,Short abroad with interest,GBP,2024-03-04,lifo,per_currency,recorded
      NORATE,A currency without a rate,USD,2024-03-04,fifo,base,recorded
      TOOBIG,A cost that no column holds,USD,2024-03-04,fifo,base,recorded

      """
    ),
    ("prices", prices),
    ("fx-rates", rates),
    (
      "corporate-actions",
      """
      ex_date,symbol,type,value,currency
      2024-03-06,NVX,split,4,
      2024-03-07,NVX,dividend,0.04,USD
      2024-03-06,PENNY,split,0.142857142857,
      2024-03-06,NYSE1,dividend,1.5,USD

      """
    ),
    ("activities", activities),
  ]

  private static let prices = """
    date,symbol,close
    2024-03-04,NVX,898.4
    2024-03-04,ZED,51.2
    2024-03-04,ZEDP50,2.05
    2024-03-04,MOTE,999999999999999999.999999999999
    2024-03-04,DUST,0.000000000003
    2024-03-04,HUGE,999999999998.123456789012
    2024-03-04,ACME,101
    2024-03-04,FDAX,18012.5
    2024-03-04,PENNY,1.07
    2024-03-04,NYSE1,170.9
    2024-03-04,7203T,2351
    2024-03-04,ZIM,1000000000000
    2024-03-07,ZED,46.90
    2024-03-07,ZEDP50,0
    2024-03-07,FDAX,17950.25
    2024-03-08,NVX,219.875
    2024-03-08,ZED,47.31
    2024-03-08,ZEDP50,0
    2024-03-08,MOTE,0.000000000001
    2024-03-08,DUST,0.000000000002
    2024-03-08,HUGE,999999999999.999999999999
    2024-03-08,ACME,102.5
    2024-03-08,FDAX,18200
    2024-03-08,PENNY,7.35
    2024-03-08,NYSE1,172.013
    2024-03-08,7203T,2310.25

    """

  private static let rates = """
    date,base,quote,rate
    2024-03-04,EUR,USD,1.0849
    2024-03-05,EUR,USD,1.0853
    2024-03-06,EUR,USD,1.0874
    2024-03-07,EUR,USD,1.0895
    2024-03-08,EUR,USD,1.0932
    2024-03-04,GBP,JPY,191.23
    2024-03-05,GBP,JPY,190.77
    2024-03-06,GBP,JPY,190.05
    2024-03-07,GBP,JPY,189.4
    2024-03-08,GBP,JPY,188.61
    2024-03-04,USD,ZWL,10000000000

    """

  private static let activities = """
    id,portfolio,date,type,symbol,quantity,price,amount,fee,currency
    S1,SHORTIE,2024-03-04,deposit,,,,10000,,EUR
    S2,SHORTIE,2024-03-04,sell,NVX,7,901.37,,1.25,USD
    S3,SHORTIE,2024-03-04,sell,NVX,6,899.11,,,USD
    S4,SHORTIE,2024-03-05,buy,NVX,3,880.5,,0.95,USD
    S5,SHORTIE,2024-03-07,buy,NVX,20,221.03,,,USD
    K1,STRIKE,2024-03-04,deposit,,,,20000,,USD
    K2,STRIKE,2024-03-04,sell,ZEDP50,2,1.85,,2.10,USD
    K3,STRIKE,2024-03-07,expire,ZEDP50,1,0,,,USD
    K4,STRIKE,2024-03-07,buy,ZED,100,50,,,USD
    K5,STRIKE,2024-03-08,buy,ZEDP50,1,0,,0.65,USD
    L1,LIMITS,2024-03-04,deposit,,,,999999999999999999.9999,,USD
    L2,LIMITS,2024-03-04,buy,MOTE,0.000000000001,999999999999999999.999999999999,,,USD
    L3,LIMITS,2024-03-04,buy,DUST,999999999999999999.999999999999,0.000000000001,,,USD
    L4,LIMITS,2024-03-04,buy,HUGE,999999999999.5,999999999999.25,,,USD
    L5,LIMITS,2024-03-08,sell,HUGE,0.000000000001,0.000000000001,,,USD
    A1,AGAIN,2024-03-04,deposit,,,,5000,,USD
    A2,AGAIN,2024-03-04,buy,ACME,10,100,,1,USD
    A3,AGAIN,2024-03-08,sell,ACME,10,103.5,,1,USD
    A4,AGAIN,2024-03-08,buy,ACME,4,102.25,,1,USD
    A5,AGAIN,2024-03-08,sell,ACME,7,104,,,USD
    A6,AGAIN,2024-03-08,buy,ACME,9,101.125,,0.5,USD
    C1,CONTRACT,2024-03-04,deposit,,,,90000,,USD
    C2,CONTRACT,2024-03-04,buy,FDAX,3,18000.5,,6.6,EUR
    C3,CONTRACT,2024-03-05,sell,FDAX,1,18100,,2.2,EUR
    C4,CONTRACT,2024-03-07,expire,FDAX,,,,,EUR
    F1,FRACTION,2024-03-04,deposit,,,,100,,USD
    F2,FRACTION,2024-03-04,buy,PENNY,33.333333333333,1.03,,,USD
    F3,FRACTION,2024-03-04,buy,PENNY,12.5,1.11,,,USD
    F4,FRACTION,2024-03-07,sell,PENNY,0.547619047612,7.4,,,USD
    W1,WITHHELD,2024-03-04,deposit,,,,20000,,EUR
    W2,WITHHELD,2024-03-04,buy,NYSE1,90,171.25,,,USD
    W3,WITHHELD,2024-03-06,dividend,NYSE1,,,123.45,1.11,USD
    W4,WITHHELD,2024-03-06,tax,NYSE1,,,18.5175,,USD
    W5,WITHHELD,2024-03-07,tax,NYSE1,,,-3.7,,USD
    B1,BORROWED,2024-03-04,deposit,,,,30000,,GBP
    B2,BORROWED,2024-03-04,sell,7203T,1000,2345.5,,275.5,JPY
    B3,BORROWED,2024-03-05,interest,7203T,,,-3210.9877,,JPY
    B4,BORROWED,2024-03-06,interest,,,,96.1234,,JPY
    B5,BORROWED,2024-03-07,interest,,,,-4.3211,,GBP
    B6,BORROWED,2024-03-07,buy,7203T,400,2298.75,,275.5,JPY
    N1,NORATE,2024-03-04,deposit,,,,10,,TRY
    T1,TOOBIG,2024-03-04,buy,ZIM,900000000000,1000000000000,,,ZWL
    T2,TOOBIG,2024-03-04,buy,ZIM,900000000000,1000000000000,,,ZWL

    """
}
