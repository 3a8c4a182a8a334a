import TestSupport
import Testing

@testable import Postgres

@Suite("Who may read a password on its way")
struct ExposureTests {
  @Test(
    "where libpq may be talked out of TLS, and has a password, it may go in clear",
    arguments: ["disable", "allow", "prefer"])
  func inClear(_ mode: String) throws {
    let notice = try #require(Exposure(host: "books", mode: mode, hasPassword: true).notice)
    #expect(notice.message.contains("the password may have gone in clear"))
    #expect(notice.message.contains("sslmode=\(mode)"))
    #expect(notice.hint?.contains("sslmode=verify-full") == true)
    let encrypted = Exposure(host: "books", mode: mode, hasPassword: true, isEncrypted: true)
    #expect(encrypted.notice?.message.contains("may go in clear next time") == true)
    let none = Exposure(host: "books", mode: mode, hasPassword: false)
    #expect(none.notice?.message.contains("password") == false)
  }

  @Test("TLS that is insisted on keeps it, and only the server is not verified")
  func required() {
    for mode in ["require", "verify-ca"] {
      let exposure = Exposure(host: "books", mode: mode, hasPassword: true, isEncrypted: true)
      #expect(exposure.notice?.message.contains("does not verify the server") == true)
      #expect(exposure.notice?.message.contains("password") == false)
    }
    #expect(Exposure(host: "books", mode: "verify-full", hasPassword: true).notice == nil)
  }

  @Test("so does a login that never tells it: channel binding, or SCRAM alone")
  func ways() {
    func tells(_ ways: String, bindsChannel: Bool = false) -> Bool {
      Exposure(
        host: "books", mode: "prefer", hasPassword: true, acceptedWays: ways,
        bindsChannel: bindsChannel
      ).mayTellPassword
    }
    #expect(tells("") && tells("password,scram-sha-256") && tells("!md5"))
    #expect(!tells("scram-sha-256") && !tells("!password,!md5") && !tells("", bindsChannel: true))
  }

  @Test(
    "what stays on this machine is nobody's business",
    arguments: ["", "/var/run/postgresql", "@socket", "localhost", "127.0.0.1", "127.1.2.3", "::1"])
  func local(_ host: String) {
    #expect(Exposure(host: host, mode: "disable", hasPassword: true).notice == nil)
  }
}
