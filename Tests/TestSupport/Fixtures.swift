/// The files under `Fixtures/` at the repository's root.
public enum Fixtures {
  /// The absolute path of a fixture.
  public static func path(_ name: String, from file: String = #filePath) -> String {
    let parts = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return (parts + ["Fixtures", name[...]]).joined(separator: "/")
  }
}
