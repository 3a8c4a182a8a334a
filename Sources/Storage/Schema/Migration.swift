internal import CMigrations

/// One numbered step of the schema, with its way back.
///
/// The text stands in `Sources/CMigrations/sql`, one subject a file, and is never edited once
/// released: the database keeps each file's checksum and refuses to go on where it differs.
public struct Migration: Sendable, Identifiable {
  /// 1, 2, 3 … without gaps.
  public let version: Int
  /// The subject, in one word.
  public let name: String
  /// The SQL that takes this step.
  public let up: String
  /// The SQL that takes it back, refusing where data would be lost.
  public let down: String

  /// The version.
  public var id: Int { version }

  /// Every step that this program knows, ascending.
  public static let all: [Migration] = (0..<closebell_migrations_count).map { index in
    let file = closebell_migration_at(index).pointee
    return Migration(
      version: Int(file.version), name: String(cString: file.name),
      up: String(cString: file.up), down: String(cString: file.down))
  }

  /// The tables that they make, by name, and the one that keeps them.
  static let tables = ["schema_migrations"] + names("table")
  /// Everything that they make and a query can read, by name.
  static let relations = tables + names("view") + names("sequence")
  /// The functions that they make, by name.
  static let functions = names("function")

  private static func names(_ kind: String) -> [String] {
    all.flatMap { migration in
      migration.up.split(separator: "create \(kind) closebell.").dropFirst().map { text in
        String(text.prefix { $0.isLetter || $0 == "_" })
      }
    }
  }

  /// The version of the schema that this program works on.
  public static var latestVersion: Int { all.count }
}
