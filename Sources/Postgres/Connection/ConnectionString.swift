/// What is wrong with a connection string, told without quoting it: it may hold a password.
///
/// libpq takes whatever it does not recognize for the name of a database or of a host, and sends
/// that over the network. So nothing that could be another program's connection string, or a
/// password that was written without encoding, may reach it.
struct ConnectionString {
  let text: String

  /// Why the string is refused before libpq sees it; nil where it is of a form that libpq reads.
  var objection: String? {
    if text.isEmpty { return nil }
    if isURL { return urlObjection }
    if text.contains("="), beginsWithKeyword { return nil }
    if text.unicodeScalars.first?.properties.isWhitespace == true { return "begins with a blank" }
    guard !text.contains("="), Self.isPlainName(text) else {
      return "is neither a URL of PostgreSQL nor keywords and values"
    }
    return nil
  }

  /// As libpq has it: in small letters, and nothing before it.
  var isURL: Bool { text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") }

  /// `postgresql://[user[:password]@][host[:port],…][/name][?keyword=value&…]`.
  private var urlObjection: String? {
    if text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 }) {
      return "has a blank or a line break in it"
    }
    // Scalars, as libpq's bytes: a sign with an accent upon it is another character, and is none
    // to libpq. That looks for the @ before it looks for the ?, so a password may hold a ?.
    let all = text.unicodeScalars
    guard let colon = all.firstIndex(of: ":") else { return nil }
    let rest = all[colon...].dropFirst("://".count)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
    let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
    if parts.count > 2 || path.contains("@") {
      return "has a @ too many, or a / before one: in a user's name or a password write %40, %2F"
    }
    // An @ behind the ?, and no / before it: libpq takes the keywords for a user's name.
    if parts.count == 2, let mark = parts[0].firstIndex(of: "?"), parts[0][mark...].contains("=") {
      return "has a @ in its keywords and no / before them: write host/?keyword=value"
    }
    let host = parts.last?.prefix { $0 != "?" } ?? []
    guard host.allSatisfy(Self.isOfHost) else { return "has a host that is no host's name" }
    return nil
  }

  /// Whether the first keyword could be one of libpq's: it refuses others, and quotes them.
  private var beginsWithKeyword: Bool {
    text.prefix { $0 != "=" }.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || $0 == "_" || $0.properties.isWhitespace
    }
  }

  /// Why a setting that libpq found in a connection string, or in its environment, is refused.
  ///
  /// - Parameter setting: One that libpq sends over the network, or quotes where it objects.
  static func objection(to setting: Configuration.Setting) -> String? {
    let (keyword, value) = (setting.keyword, setting.value)
    let mayHaveAnything = ["options", "application_name", "fallback_application_name"]
    guard !setting.isSecret, !mayHaveAnything.contains(keyword) else { return nil }
    if isLikely(value) { return "has another connection string as its \(keyword)" }
    let scalars = value.unicodeScalars
    if let cut = scalars.firstIndex(where: { $0 == ";" || $0 == "&" }),
      scalars[cut...].contains("=")
    {
      return "has \(scalars[cut]) between its keywords, where none belongs"
    }
    switch keyword {
    case "host", "hostaddr":
      let areHosts = scalars.split(separator: ",").allSatisfy {
        $0.first == "/" || $0.first == "@" || $0.allSatisfy(isOfHost)
      }
      return areHosts ? nil : "has a \(keyword) that is no host's name"
    case "port":
      let isPort = scalars.allSatisfy { ("0"..."9").contains($0) || $0 == "," }
      return isPort ? nil : "has a port that is no number"
    case "dbname", "user", "service":
      let isURL = value.contains("://")
      // `me:secret@host/books`: a user of another domain has no colon, and a name seldom either.
      let hasPassword =
        scalars.lastIndex(of: "@").map { scalars[..<$0].contains(":") } ?? false
      return isURL || hasPassword ? "has another connection string as its \(keyword)" : nil
    default: return nil
    }
  }

  /// Why a variable of libpq's is refused, wherever the connection string leads; nil where none is.
  ///
  /// libpq takes each for what its name says, sends it as such and prints it in its messages.
  static var objectionToEnvironment: String? {
    let names = ["PGDATABASE": "dbname", "PGUSER": "user", "PGSERVICE": "service"]
    let mayHaveAnything = ["PGPASSWORD", "PGOPTIONS", "PGAPPNAME"]
    for (name, value) in ProcessEnvironment.variables.sorted(by: { $0.key < $1.key }) {
      guard let value, name.hasPrefix("PG"), !mayHaveAnything.contains(name) else { continue }
      if isLikely(value) { return "\(name) of the environment looks like a connection string" }
      guard let keyword = names[name] else { continue }
      let setting = Configuration.Setting(keyword: keyword, value: value, isSecret: false)
      if let objection = objection(to: setting) { return "\(name) of the environment \(objection)" }
    }
    return nil
  }

  /// Whether a text looks like a connection string: a URL that is none of a page, a password by its
  /// keyword, or one between a user's name and a host's.
  static func isLikely(_ text: String) -> Bool {
    let small = text.lowercased()
    let before = small.split(separator: "=", omittingEmptySubsequences: false).dropLast()
    let hasPassword = before.contains { part in
      let word = part.split(whereSeparator: \.isWhitespace).last ?? ""
      return ["password", "passwd", "pwd"].contains { word.hasSuffix($0) }
        || word.split { !$0.isLetter && $0 != "_" }.last == "pass" && word.last == "s"
    }
    if small.contains("jdbc:")
      || small.split(whereSeparator: \.isWhitespace).contains(where: isLogin)
    {
      return true
    }
    if hasPassword { return true }
    var rest = small[...]
    while let mark = rest.firstRange(of: "://") {
      let scheme = rest[..<mark.lowerBound]
      rest = rest[mark.upperBound...]
      let authority = rest.prefix { $0 != "/" && !$0.isWhitespace }
      let isPage = scheme.hasSuffix("http") || scheme.hasSuffix("https")
      if !isPage || authority.contains("@") { return true }
    }
    return false
  }

  /// `user:secret@host`: a user's name begins with a letter, as no time of day does.
  private static func isLogin(_ word: Substring) -> Bool {
    guard let at = word.lastIndex(of: "@"), let colon = word[..<at].firstIndex(of: ":"),
      word.index(after: colon) < at, let host = word[at...].dropFirst().first
    else { return false }
    let user = word[..<colon]
    return user.first.map { $0.isLetter || $0 == "_" } == true
      && user.allSatisfy { $0.isLetter || $0.isNumber || "._%+-".contains($0) }
      && (host.isLetter || host.isNumber || host == "[")
  }

  /// A name that nobody could take for a connection string: letters, digits and `_ - . $`.
  private static func isPlainName(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || $0.properties.numericType != nil
        || "_-.$".unicodeScalars.contains($0)
    }
  }

  /// Letters, digits, `.-_`, and `:,[]%` for ports, several hosts, IPv6 and encoded paths.
  private static func isOfHost(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "\u{80}"...: true
    default: ".-_:,[]%".unicodeScalars.contains(scalar)
    }
  }
}
