/// The smallest books that have everything: three portfolios, two nights.
///
/// ASH (dollars, first in first out) sells over two lots, takes a dividend, turns a short into a
/// long position and buys in a foreign currency. BIRCH (euros, average cost) keeps a balance a
/// currency, converts, and has automatic dividends and a split. CEDAR (pounds) holds a fund
/// valued by statements and has the other IRR convention; it is closed for the first time.
public enum SmallWorld {
  /// The nights; the close before them is of 2017-06-28.
  public static let nights = ["2017-06-29", "2017-06-30"]

  /// Kinds of import and their files, in the order in which they must be imported.
  public static let files: [(kind: String, csv: String)] = [
    (
      "instruments",
      """
      symbol,name,kind,currency,multiplier,pricing
      OAK,Oak Corporation,equity,USD,1,quoted
      ELM,Elm plc,equity,GBP,1,quoted
      IVY,Ivy Incorporated,equity,USD,1,quoted
      MEADOW,Meadow Fund,fund,GBP,1,valued

      """
    ),
    (
      "portfolios",
      """
      code,name,base_currency,inception_date,calendar,lot_relief,cash,dividends,irr_convention
      ASH,Ash,USD,2017-01-02,weekdays,fifo,base,recorded,xirr_act365
      BIRCH,Birch,EUR,2017-01-02,weekdays,average,per_currency,automatic,xirr_act365
      CEDAR,Cedar,GBP,2017-01-02,weekdays,fifo,base,recorded,monthly_nominal

      """
    ),
    ("prices", prices),
    ("fx-rates", rates),
    (
      "corporate-actions",
      """
      ex_date,symbol,type,value,currency
      2017-06-29,OAK,dividend,0.21,USD
      2017-06-30,OAK,split,3,

      """
    ),
    ("activities", activities),
    (
      "valuations",
      """
      portfolio,symbol,date,value
      CEDAR,MEADOW,2017-01-31,6010.25
      CEDAR,MEADOW,2017-03-31,6305.10
      CEDAR,MEADOW,2017-05-31,6420.77
      CEDAR,MEADOW,2017-06-30,6518.02

      """
    ),
  ]

  /// What is imported late, after both nights were closed: a corrected close, a backdated deposit.
  public static let corrections: [(kind: String, csv: String)] = [
    ("prices", "date,symbol,close,currency\n2017-06-29,OAK,61.93,USD\n"),
    (
      "activities",
      """
      id,portfolio,date,type,symbol,quantity,price,amount,fee,currency,acquired,status,note
      CEDAR-9,CEDAR,2017-06-30,regular_investment,MEADOW,,,75,,GBP,,active,late

      """
    ),
  ]

  private static let prices = """
    date,symbol,close,currency
    2017-01-03,OAK,50.10,USD
    2017-01-03,ELM,6.98,GBP
    2017-01-03,IVY,21.05,USD
    2017-06-28,OAK,61.02,USD
    2017-06-28,ELM,7.21,GBP
    2017-06-28,IVY,19.13,USD
    2017-06-29,OAK,61.37,USD
    2017-06-29,ELM,7.19,GBP
    2017-06-29,IVY,18.92,USD
    2017-06-30,OAK,20.655,USD
    2017-06-30,ELM,7.2655,GBP
    2017-06-30,IVY,18.87,USD

    """

  private static let rates = """
    date,base,quote,rate
    2017-01-02,EUR,USD,1.0465
    2017-01-02,EUR,GBP,0.8532
    2017-06-28,EUR,USD,1.1375
    2017-06-28,EUR,GBP,0.8843
    2017-06-29,EUR,USD,1.1413
    2017-06-29,EUR,GBP,0.8785
    2017-06-30,EUR,USD,1.1412
    2017-06-30,EUR,GBP,0.8793

    """

  private static let activities = """
    id,portfolio,date,type,symbol,quantity,price,amount,fee,currency,acquired,status,note
    ASH-1,ASH,2017-01-03,deposit,,,,100000,,USD,,active,
    ASH-2,ASH,2017-01-04,buy,OAK,100,50.25,,4.95,USD,,active,
    ASH-3,ASH,2017-03-01,buy,OAK,60,55.10,,4.95,USD,,active,
    ASH-4,ASH,2017-03-02,sell,IVY,200,20.40,,4.95,USD,,active,opens a short
    ASH-5,ASH,2017-06-29,sell,OAK,120,61.37,,4.95,USD,,active,over two lots
    ASH-6,ASH,2017-06-29,dividend,OAK,,,33.60,,USD,,active,
    ASH-7,ASH,2017-06-30,buy,IVY,250,18.85,,4.95,USD,,active,crosses to long
    ASH-8,ASH,2017-06-30,buy,ELM,40,7.25,,3.50,GBP,,active,
    BIRCH-1,BIRCH,2017-01-03,deposit,,,,50000,,EUR,,active,
    BIRCH-2,BIRCH,2017-01-03,deposit,,,,20000,,USD,,active,
    BIRCH-3,BIRCH,2017-01-05,buy,OAK,150,50.90,,4.95,USD,,active,
    BIRCH-4,BIRCH,2017-06-29,exchange_out,,,,5000,7.50,EUR,,active,
    BIRCH-5,BIRCH,2017-06-29,exchange_in,,,,4380.20,,GBP,,active,
    BIRCH-6,BIRCH,2017-06-30,buy,ELM,300,7.26,,3.50,GBP,,active,
    BIRCH-7,BIRCH,2017-06-30,sell,OAK,99,20.66,,4.95,USD,,active,
    BIRCH-8,BIRCH,2017-06-30,withdrawal,,,,1500,,EUR,,active,
    CEDAR-1,CEDAR,2017-01-10,investment,MEADOW,,,6000,,GBP,,active,
    CEDAR-2,CEDAR,2017-03-03,regular_investment,MEADOW,,,250,,GBP,,active,
    CEDAR-3,CEDAR,2017-05-03,government_uplift,MEADOW,,,62.50,,GBP,,active,
    CEDAR-4,CEDAR,2017-06-30,regular_withdrawal,MEADOW,,,40,,GBP,,active,

    """
}
