import Postgres
import Problems
import Testing

/// What libpq would take for a name, and send away or print: other programs' connection strings.
@Suite("Connection strings of other programs go nowhere")
struct ConnectionStringTests {
  /// Each holds the password `hush`, or could.
  static let refused = [
    "jdbc:postgresql://db.example/books?user=me&password=hush",
    "jdbc:postgresql://me:hush@db.example/books", "postgresql+psycopg2://me:hush@db.example/books",
    "postgresql:/me:hush@db.example/books", "postgresql:me:hush@db.example/books",
    "POSTGRESQL://me:hush@db.example/books", "Postgres://me:hush@db.example/books",
    "POSTGRESQL://me:hush@db.example/books?sslmode=require", "mysql://me:hush@db.example/books",
    "mysql://me:hush@db.example/books?ssl=true", "postgres:db.example", "pg://me:hush@h/books",
    " postgresql://me:hush@db.example/books", "\tpostgresql://me:hush@db.example/books",
    "\npostgresql://me:hush@db.example/books?sslmode=require",
    "postgresql://me:hush@db.example/books\n", "postgresql://me:hu sh@db.example/books",
    "\"postgresql://me:hush@db.example/books\"", "'postgresql://me:hush@db.example/books?a=b'",
    "me:hush@db.example/books", "me:hush@db.example", "//me:hush@db.example/books",
    "db.example:5432/books", "me/hush@books", "hush@db.example", "books?password=hush",
    // A password with a character that ends it, as libpq reads it.
    "postgresql://me:hu@sh@db.example/books", "postgresql://me:5/hush@db.example/books",
    "postgresql://db.example?user=me@tenant&password=hush",
    "postgresql://me@db.example&password=hush", "postgresql://db.example/books&password=hush",
    "postgresql://me:hush@db.example;ssl/books",
    // Semicolons, as ODBC, ADO.NET and PDO have them.
    "Server=db.example;Database=books;User Id=me;Password=hush",
    "Driver={PostgreSQL};Server=db.example;Pwd=hush", "pgsql:host=db.example;password=hush",
    "host=db.example;dbname=books;password=hush", "dbname=books;user=me;password=hush",
    "user=me;password=hush;host=db.example", "sslmode=require;password=hush",
    "port=5432;password=hush", "service=books;password=hush",
    // A connection string within one.
    "dbname=postgresql://me:hush@db.example/books", "host=postgresql://me:hush@db.example/books",
    "host=db.example dbname='mysql://me:hush@db.example/books'", "host=h pass word=hush",
    "host=db.example port=hush", "dbname=me:hush@db.example",
    // Signs with an accent upon them, which Swift takes for other characters, and libpq does not.
    "postgresql://me:hu@\u{301}sh@db.example/books", "dbname=books;\u{301}password=hush",
    "postgresql://me:hush@db.example/books\u{301}&password=hush",
  ]

  static let accepted = [
    "", "books", "books_2017", "Bücher-1.2$", "postgresql://", "postgresql:///books",
    "postgres://db.example", "postgresql://me:hush@db.example:5432/books?sslmode=verify-full",
    "postgresql://me:hu%40sh%2F@a.example:1,b.example:2/books?target_session_attrs=any",
    "postgresql://[2001:db8::1]:5432/books", "postgresql://%2Fvar%2Frun%2Fpostgresql/books",
    "postgresql:///books?host=/var/run/postgresql&user=me", "postgresql://me:hu?sh@db.example/b",
    "postgresql://db.example/books?user=me@tenant",
    "host=db.example dbname=books password='hu;s=h'",
    " host=db.example\n  dbname=books\n", "host = /tmp port = 5433", "service=books",
    "host=a,b port=1,2", "host=/tmp,@abstract,db.example", "hostaddr=10.0.0.1,::1 host=a,b",
    "host=fe80::1%eth0", "dbname='a b' user='me@tenant'", "options='-c a=b;c' dbname=x",
  ]

  @Test("refused before libpq sees it, and nothing of it is repeated", arguments: refused)
  func refusal(_ conninfo: String) async throws {
    let objection = try #require(Configuration.objection(to: conninfo))
    #expect(objection.hasPrefix("the connection string "))
    for piece in ["hush", "sh@", "example", "me:"] { #expect(!objection.contains(piece)) }
    let error = try await postgresError {
      try await Connection.connect(Configuration(conninfo: conninfo, applicationName: "tests"))
    }
    #expect(error?.kind == .connectFailed && error?.mayRetry == false)
    #expect(error?.description.contains("hush") == false)
    #expect(error?.hint?.contains("postgresql://user@host") == true)
  }

  @Test("every form that libpq reads is taken", arguments: accepted)
  func acceptance(_ conninfo: String) {
    #expect(Configuration.objection(to: conninfo) == nil)
  }

  @Test("a text looks like one by a password's keyword, or by a URL that is none of a page")
  func likeness() {
    for text in Self.refused where text.contains("://") || text.contains("password=") {
      #expect(Configuration.isLikeConnectionString(text), "\(text)")
    }
    for text in [
      "books", "me@tenant", "see https://tracker.example/1?a=b", "http://books.example", "a://b",
      "the password is lost", "P=1", "2017-06-30", "word = x", "/var/run/postgresql",
    ] {
      #expect(Configuration.isLikeConnectionString(text) == (text == "a://b"), "\(text)")
    }
  }

  @Test("or by a password between two names, as other programs and other databases have it")
  func likenessOfOthers() {
    for text in [
      "me:hush@example/books", "Me:hu/s@h@db.example:5432", "see me:hush@example",
      "postgres:hush@[::1]/books", "Server=example;Uid=me;Pass=hush;", "pass=hush",
      "jdbc:oracle:thin:me/hush@example", "JDBC:sqlserver://example",
    ] {
      #expect(Configuration.isLikeConnectionString(text), "\(text)")
    }
    for text in [
      "me@example", "C:books", "booked at 12:30@desk", "bypass=1", "a: b@example", "x:@example",
      "/srv/in:out@2/prices.csv", "me:hush", "note:see@", "2017-06-30:x@y",
    ] {
      #expect(!Configuration.isLikeConnectionString(text), "\(text)")
    }
  }
}
