import Glibc
import PrivateCluster

/// A folder under `/tmp` that goes with its last user, and all that is in it.
public final class ScratchFolder: Sendable {
  /// Its path.
  public let path: String

  /// An empty folder, closed to others.
  public init() {
    var name = Array("/tmp/closebell-scratch-\(String(repeating: "X", count: 6))".utf8CString)
    mkdtemp(&name)
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Names of what it holds, hidden ones included.
  public var names: [String] { entries(of: path).sorted() }

  deinit { removeTree(path) }
}
