import Accounting
import Postgres
import Problems
import TestSupport
import Testing

@testable import Storage

/// Values that the tables can hold and the program cannot count with.
@Suite struct StoredExtremesTests {
  @Test(
    "an infinite date in a table is an error that says so", arguments: ["infinity", "-infinity"])
  func endless(_ word: String) async throws {
    let url = try await TestCluster.shared.freshDatabase()
    let connection = try await Connection.connect(
      Configuration(conninfo: url, applicationName: "storage-tests"))
    let statement = Postgres.Statement("endless", "select '\(word)'::date as day, 7::int8 as id")
    let said = try await connection.perform { db in
      do {
        _ = try db.row(statement) { try $0.nextDay() }
        return ""
      } catch let error as StorageError {
        return error.description
      }
    }
    #expect(said.hasPrefix("the database holds an infinite date"))
    #expect(said.contains("\ndetail: it is column \"day\" of the row with id 7\n"), "\(said)")
    await connection.close()
  }

  @Test("no input and no snapshot takes a number that is none: its table refuses it by name")
  func notANumber() async throws {
    let url = try await TestCluster.shared.freshDatabase()
    let connection = try await Connection.connect(
      Configuration(conninfo: url, applicationName: "storage-tests"))
    try await connection.perform { db in
      _ = try Migrator.migrate(on: db)
      let columns = try db.rows(
        Postgres.Statement(
          "numbers",
          """
          select c.table_name::text, c.column_name::text, c.data_type::text
          from information_schema.columns c
          where c.table_schema = 'closebell' and c.data_type in ('numeric', 'double precision')
            and c.table_name in ('instruments', 'prices', 'fx_rates', 'corporate_actions',
              'holding_activity_log', 'statement_valuations')
          """)
      ) { (try $0.nextString(), try $0.nextString()) }
      #expect(columns.count == 14)
      for (table, column) in columns {
        let refusing = try db.row(
          Postgres.Statement(
            "refusing",
            """
            select count(*) from pg_catalog.pg_constraint k
            where k.conrelid = ('closebell.' || $1::text)::regclass and k.contype = 'c'
              and pg_catalog.pg_get_constraintdef(k.oid)
                like '%(' || $2::text || ' <> ''NaN''::numeric)%'
            """), table, column
        ) { try $0.nextInt64() }
        #expect(refusing == 1, "\(table).\(column)")
      }
    }
    await connection.close()
  }
}
