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
    let statement = Postgres.Statement("endless", "select '\(word)'::date")
    let said = try await connection.perform { db in
      do {
        _ = try db.row(statement) { try $0.nextDay() }
        return ""
      } catch let error as StorageError {
        return error.description
      }
    }
    #expect(said.hasPrefix("the database holds an infinite date"))
    await connection.close()
  }
}
