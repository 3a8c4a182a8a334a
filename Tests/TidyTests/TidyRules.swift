/// The rules of the house that a machine can check, each a function from a file to what breaks it.
enum TidyRules {
  static let longestLine = 100
  static let longestFunction = 70
  static let longestFile = 400
  /// The one door to standard output.
  static let standardOutput = "Sources/Console/StandardOutput.swift"

  static func all(_ file: SourceFile) -> [Finding] {
    shape(file) + functionLengths(file) + words(file) + typeNames(file) + arrows(file) + sql(file)
      + changesOfInputs(file) + keysOfText(file) + problems(file)
  }

  /// Lengths of lines and file, tabs, blanks at a line's end.
  static func shape(_ file: SourceFile) -> [Finding] {
    var found: [Finding] = []
    func report(_ line: Int, _ message: String) {
      found.append(Finding(path: file.path, line: line, message: message))
    }
    for (index, line) in file.lines.enumerated() {
      if line.count > longestLine { report(index + 1, "line of \(line.count) columns") }
      if line.contains("\t") { report(index + 1, "tab") }
      if line.last == " " || line.last == "\r" { report(index + 1, "blank at the end") }
    }
    let count = file.lines.last?.isEmpty == true ? file.lines.count - 1 : file.lines.count
    if count > longestFile { report(longestFile + 1, "file of \(count) lines") }
    return found
  }

  /// A function ends where the first line that is indented like its first one says `}`.
  ///
  /// The formatter vouches for the indentation, and Swift for that of multi-line strings.
  static func functionLengths(_ file: SourceFile) -> [Finding] {
    file.lines.indices.compactMap { start in
      let head = file.lines[start]
      guard isFunctionHead(head.trimmed) else { return nil }
      for end in (start + 1)..<max(file.lines.count, start + 1) {
        let line = file.lines[end]
        guard !line.trimmed.isEmpty, line.indentation <= head.indentation else { continue }
        if let first = line.trimmed.first, first == ")" || first == "{" { continue }
        let count = end - start + 1
        guard line.trimmed.first == "}", count > longestFunction else { return nil }
        return Finding(path: file.path, line: start + 1, message: "function of \(count) lines")
      }
      return nil
    }
  }

  private static func isFunctionHead(_ line: Substring) -> Bool {
    guard !line.hasPrefix("//"), !line.hasSuffix("}") else { return false }
    let words = line.split(separator: " ")
    let modifiers = words.prefix { word in
      word.first == "@"
        || [
          "public", "package", "internal", "fileprivate", "private", "static", "class", "final",
          "mutating", "nonmutating", "consuming", "borrowing", "override", "nonisolated",
          "convenience", "isolated",
        ].contains(word)
    }
    guard let word = words.dropFirst(modifiers.count).first else { return false }
    return word == "func" || word == "var" || word == "deinit" || word.hasPrefix("init(")
      || word.hasPrefix("init?(") || word.hasPrefix("init<") || word.hasPrefix("subscript(")
  }

  /// Words that have no place in committed code, or only in some rooms.
  static func words(_ file: SourceFile) -> [Finding] {
    // Put together here, or this file would be the first to break the rule.
    let markers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    let mayPrint = file.path.hasPrefix("Benchmarks/")
    var found: [Finding] = []
    for (index, line) in file.lines.enumerated() {
      for marker in markers where line.containsWord(marker) {
        found.append(Finding(path: file.path, line: index + 1, message: "marker \(marker)"))
      }
    }
    for (number, line) in file.code {
      if !mayPrint, line.containsWord("print" + "(") {
        found.append(
          Finding(
            path: file.path, line: number, message: "prints, and nobody checks that it arrived"))
      }
      if !["", "Import", "Postgres"].contains(file.room), file.path != standardOutput,
        ["STDOUT_FILENO", "stdout", "puts" + "(", "putchar" + "(", "printf" + "("].contains(where: {
          line.containsWord($0)
        })
      {
        found.append(
          Finding(path: file.path, line: number, message: "standard output beside its one door"))
      }
      if file.path.hasPrefix("Sources/"), importedModule(line) == "Foundation" {
        found.append(Finding(path: file.path, line: number, message: "imports all of Foundation"))
      }
    }
    return found
  }

  /// Names of types that say nothing.
  static func typeNames(_ file: SourceFile) -> [Finding] {
    let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
    return file.code.compactMap { number, line in
      let words = line.split(separator: " ")
      guard let kind = words.firstIndex(where: { kinds.contains($0) }), kind + 1 < words.count,
        words[..<kind].allSatisfy({ $0.first?.isLetter == true || $0.first == "@" })
      else { return nil }
      let name = words[kind + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      for suffix in ["Manager", "Helper", "Helpers", "Util", "Utils"] where name.hasSuffix(suffix) {
        return Finding(path: file.path, line: number, message: "type name ends in \(suffix)")
      }
      return nil
    }
  }

  /// The arrows of the house: which room may import which, and what from outside.
  static let mayImport: [String: Set<String>] = [
    "Accounting": ["Glibc"],
    "Postgres": ["CLibPQ", "Dispatch", "Glibc", "Problems", "Synchronization"],
    "PrivateCluster": [
      "CThreadOwner", "Glibc", "Problems", "Subprocess", "Synchronization", "SystemPackage",
    ],
    "Sequences": ["Glibc", "Postgres", "Problems"],
    "Storage": [
      "Accounting", "CMigrations", "Glibc", "Postgres", "Problems", "Sequences", "Synchronization",
    ],
    "Import": [
      "Accounting", "CExpat", "Glibc", "Postgres", "Problems", "Storage", "Synchronization",
    ],
    "Close": ["Accounting", "Glibc", "Postgres", "Problems", "Storage", "Synchronization", "Text"],
    "Operations": [
      "Accounting", "Close", "Import", "Postgres", "Problems", "Sequences", "Storage",
      "Synchronization",
    ],
    "Presentation": [
      "Accounting", "Close", "Import", "Operations", "Problems", "Sequences", "Storage", "Text",
    ],
    "Problems": [],
    "Text": [],
    "Console": [
      "Close", "Dispatch", "Glibc", "Import", "Logging", "Operations", "Presentation", "Problems",
      "Synchronization", "Text",
    ],
    "Settings": ["Console", "Glibc", "Import", "Postgres", "Problems", "Text"],
    "closebell": [
      "Accounting", "ArgumentParser", "Close", "Console", "Dispatch", "Glibc", "Import",
      "Operations", "Postgres", "Presentation", "PrivateCluster", "Problems", "Sequences",
      "Settings", "Storage", "Synchronization", "Text",
    ],
  ]

  static func arrows(_ file: SourceFile) -> [Finding] {
    file.code.compactMap { number, line in
      guard let module = importedModule(line) else { return nil }
      guard let allowed = mayImport[file.room] else {
        guard file.path.hasPrefix("Sources/") || module == "CLibPQ" else { return nil }
        return Finding(path: file.path, line: number, message: "must not import \(module)")
      }
      guard !allowed.contains(module) else { return nil }
      return Finding(
        path: file.path, line: number, message: "\(file.room) must not import \(module)")
    }
  }

  /// The module of an import line, nil for any other.
  static func importedModule(_ line: Substring) -> String? {
    let words = line.trimmed.split(separator: " ")
    guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
      words[..<position].allSatisfy({
        $0.first == "@" || ["public", "package", "internal", "private"].contains($0)
      })
    else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "func", "let", "var", "protocol"]
    let named = words[(position + 1)...].first { !kinds.contains($0) } ?? ""
    return String(named.prefix { $0 != "." })
  }

  /// The nightly run and the arithmetic hold no SQL: it lives in `Storage`, beside its bindings.
  static func sql(_ file: SourceFile) -> [Finding] {
    guard ["Close", "Accounting"].contains(file.room) else { return [] }
    let starts = ["select ", "insert into ", "update ", "delete from ", "copy ", "with "]
    return file.code.compactMap { number, line in
      let text = line.trimmed.drop { $0 == "\"" }.lowercased()[...]
      // A line of prose may begin with such a word; a statement has one of these beside it.
      let isStatement =
        starts.contains { text.hasPrefix($0) }
        && [" from ", " set ", " values", "closebell.", " as (", "into "].contains {
          text.contains($0)
        }
      guard isStatement else { return nil }
      return Finding(path: file.path, line: number, message: "SQL outside Storage")
    }
  }
}

extension TidyRules {
  /// What says that inputs changed, and what writes the moments that rest on them, is one piece
  /// each: a statement elsewhere would do one half and forget the other.
  static func changesOfInputs(_ file: SourceFile) -> [Finding] {
    let writers = [
      "Sources/Storage/Inputs/InputChange.swift", "Sources/Storage/Results/IRRMoments.swift",
      // Takes out what every slot has seen.
      "Sources/Storage/Slots/Runs.swift",
    ]
    guard file.path.hasPrefix("Sources/"), !writers.contains(file.path) else { return [] }
    let tables = ["input_changes", "portfolio_irr_moments"]
    return file.code.compactMap { number, line in
      let text = line.lowercased()
      let isWrite = ["insert into", "delete from", "update ", "truncate", "copy ", "merge into"]
        .contains { text.contains($0) }
      guard isWrite, tables.contains(where: { text.contains($0) }) else { return nil }
      return Finding(
        path: file.path, line: number, message: "writes a table that is InputChange's to write")
    }
  }

  /// Text that is looked up must be the same where the database says so: `ExactText`.
  static func keysOfText(_ file: SourceFile) -> [Finding] {
    guard ["Close", "Import", "Storage"].contains(file.room) else { return [] }
    // The program's own words: names of columns, and of another program's types of activity.
    let words = ["constants: [String: String]", "types: [String: String]"]
    return file.code.compactMap { number, line in
      guard line.contains("[String: ") || line.contains("Set<String>"),
        !words.contains(where: { line.contains($0) })
      else { return nil }
      return Finding(path: file.path, line: number, message: "keys of String instead of ExactText")
    }
  }

  /// Paths of one machine, which mean nothing on another.
  static func machinePaths(_ file: SourceFile) -> [Finding] {
    let banned = [
      "/wo" + "rk/", "/ro" + "ot/", "/Us" + "ers/", "/opt/sw" + "ift", "/tmp/cb" + "dev",
    ]
    return file.lines.enumerated().flatMap { index, line in
      banned.filter { line.containsWord($0) }.map {
        Finding(path: file.path, line: index + 1, message: "path of one machine: \($0)")
      }
    }
  }

  /// Links of a Markdown file to files that are not there.
  static func deadLinks(_ file: SourceFile, exists: (String) -> Bool) -> [Finding] {
    let folder = file.path.split(separator: "/").dropLast()
    return file.lines.enumerated().flatMap { index, line -> [Finding] in
      line.ranges(of: "](").compactMap { range -> Finding? in
        let target = line[range.upperBound...].prefix { $0 != ")" && $0 != "#" && $0 != " " }
        if target.isEmpty || target.contains("://") || target.hasPrefix("mailto:") { return nil }
        var parts = Array(folder)
        for part in target.split(separator: "/") where part != "." {
          if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        guard !exists(parts.joined(separator: "/")) else { return nil }
        return Finding(path: file.path, line: index + 1, message: "dead link to \(target)")
      }
    }
  }
}
