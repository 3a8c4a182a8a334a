/// What can be told of names alone, over the whole of the sources.
extension TidyRules {
  /// Words that a reader of the field would have to learn, each given up for its usual one.
  ///
  /// Parts of names, by their first letter in small.
  private static let bannedWords = [
    "sweep", "shelf", "chunkRoom", "torn", "stray", "incarnationOf", "letGo", "consent", "takeBack",
    "takenBack",
  ]
  /// Modifiers, kind and name.
  private nonisolated(unsafe) static let declaration =
    #/
    ^\ *(?:@\w+(?:\([^)]*\))?\ +)*((?:\w+(?:\(set\))?\ +)*?)
    (struct|enum|class|actor|protocol|typealias|func|var|let|case)\ +`?(\w+)
    /#
  private static let kindsOfTypes: Set<Substring> = [
    "struct", "enum", "class", "actor", "protocol",
  ]

  private struct Declaration {
    let file: SourceFile
    let line: Int
    let modifiers: [Substring]
    let kind: Substring
    let name: Substring
    let isNested: Bool

    func finding(_ message: String) -> Finding {
      Finding(path: file.path, line: line, message: message)
    }
  }

  private static func declarations(_ file: SourceFile) -> [Declaration] {
    file.code.compactMap { number, line in
      guard let match = line.prefixMatch(of: declaration) else { return nil }
      return Declaration(
        file: file, line: number, modifiers: match.1.split(separator: " "), kind: match.2,
        name: match.3, isNested: line.first == " ")
    }
  }

  /// Names that a reader of the field would have to learn.
  static func bannedNames(_ files: [SourceFile]) -> [Finding] {
    files.flatMap { declarations($0) }.compactMap { one in
      let small = one.name.prefix(1).lowercased() + one.name.dropFirst()
      let large = one.name
      let banned = bannedWords.first { word in
        small.hasPrefix(word) || large.contains(word.prefix(1).uppercased() + word.dropFirst())
      }
      return banned.map { one.finding("\(one.name): '\($0)' is no word of the field") }
    }
  }

  /// Types of one name in two rooms: who reads the one thinks of the other.
  static func namesTwice(_ files: [SourceFile]) -> [Finding] {
    let types = files.flatMap { declarations($0) }.filter {
      kindsOfTypes.contains($0.kind) && !$0.isNested && !$0.modifiers.contains("private")
    }
    return Dictionary(grouping: types, by: \.name).values.filter { $0.count > 1 }.flatMap { same in
      same.map { $0.finding("\($0.name) is the name of \(same.count) types") }
    }
  }

  /// What is open to other rooms, and no file of another one names.
  ///
  /// Rooms that are products are open to whoever uses them; a type may be needed without being
  /// named; what a protocol asks for is named where it is asked for.
  static func closedDoors(_ files: [SourceFile], of rooms: Set<String>) -> [Finding] {
    var places: [Substring: Set<String>] = [:]
    for file in files {
      let place = file.room.isEmpty ? "tests" : file.room
      for (_, line) in file.code {
        for word in line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
          places[word, default: []].insert(place)
        }
      }
    }
    return files.filter { rooms.contains($0.room) }.flatMap { declarations($0) }.filter { one in
      one.modifiers.contains("package") && ["func", "var", "let"].contains(one.kind)
        && places[one.name] == [one.file.room]
    }.map { $0.finding("\($0.name) is package, and only its own room names it") }
  }
}
