import Glibc

/// A text file of the repository, by its path from the root.
struct SourceFile {
  let path: String
  let lines: [Substring]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The room the file belongs to: `Close` for `Sources/Close/Worker.swift`.
  var room: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : ""
  }

  /// Lines with their numbers from 1, without those that are comments.
  var code: [(number: Int, text: Substring)] {
    lines.enumerated().compactMap { index, line in
      line.trimmed.hasPrefix("//") ? nil : (index + 1, line)
    }
  }
}

/// Something untidy, in the form in which editors jump to it.
struct Finding: CustomStringConvertible {
  let path: String
  let line: Int
  let message: String
  var description: String { "\(path):\(line): error: \(message)" }
}

/// The repository this file was compiled from.
enum SourceTree {
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  /// Every Swift file under the folders that hold code.
  static let swiftFiles = ["Sources", "Tests", "Benchmarks"].flatMap { files(under: $0) }
    .filter { $0.path.hasSuffix(".swift") }

  /// Every text file people write, at the top level and below.
  static let writtenFiles: [SourceFile] = {
    let folders = [
      "Sources", "Tests", "Benchmarks", "docs", "Fixtures/making", "Fixtures/reference", ".ci",
    ]
    let alone = (entries(of: root) + entries(of: root + "/Fixtures").map { "Fixtures/" + $0 })
      // In a linked work tree this one is a file of git's own, which names its folder.
      .filter { $0 != ".git" && isFile(root + "/" + $0) }
    return folders.flatMap { files(under: $0) } + alone.compactMap { read($0) }
  }()

  static func exists(_ path: String) -> Bool { access(root + "/" + path, F_OK) == 0 }

  private static func files(under folder: String) -> [SourceFile] {
    entries(of: root + "/" + folder).sorted().flatMap { name -> [SourceFile] in
      let path = folder + "/" + name
      if name == ".build" || name == "__pycache__" { return [] }
      if isFile(root + "/" + path) { return read(path).map { [$0] } ?? [] }
      return files(under: path)
    }
  }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func entries(of folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// The file's text; nil for what is no UTF-8 text.
  private static func read(_ path: String) -> SourceFile? {
    guard let stream = fopen(root + "/" + path, "r") else { return nil }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return String(validating: bytes, as: UTF8.self).map { SourceFile(path: path, text: $0) }
  }
}

extension Substring {
  /// Without blanks at both ends.
  var trimmed: Substring {
    var rest = drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
    return rest
  }

  /// The number of blanks it begins with.
  var indentation: Int { prefix { $0 == " " }.count }

  /// Whether `word` occurs with no letter, digit, underscore or dot before it.
  func containsWord(_ word: String) -> Bool {
    ranges(of: word).contains { range in
      guard range.lowerBound > startIndex else { return true }
      let before = self[index(before: range.lowerBound)]
      return !before.isLetter && !before.isNumber && before != "_" && before != "."
    }
  }
}
