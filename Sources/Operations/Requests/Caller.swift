/// Who asks, as the history of runs and the archive of repairs keep it.
package struct Caller: Sendable {
  /// The machine's name.
  package var host: String
  /// The process on it.
  package var process: Int32
  /// The program's version.
  package var version: String
  /// The command line, or what stands for one, without secrets.
  package var arguments: String

  package init(host: String, process: Int32, version: String, arguments: String) {
    self.host = host
    self.process = process
    self.version = version
    self.arguments = arguments
  }
}
