import Glibc
import Problems

/// How many files and connections this process may have open at a time.
///
/// The libraries underneath trap or wait for ever where there are none left, so that this is looked
/// at before anything is done.
package enum Descriptors {
  /// A command that has workers, one connection each.
  package protocol Employer {
    /// As many as its option asks for; nil: as the setting says.
    var workers: Int? { get }
  }

  /// Streams, files, the clock's and the signals' own, a program of PostgreSQL's with its pipes,
  /// and the server that may be started: that wants 48 beside those of its connections.
  private static let base = 128

  /// What is needed to say anything at all.
  private static let fewest: rlim_t = 16

  /// Refuses to begin where not even an error could be handled.
  ///
  /// - Throws: A problem of configuration.
  package static func requireToBegin() throws {
    let limit = raised(to: rlim_t(base))
    if limit < fewest { throw tooFew(limit, needed: rlim_t(base)) }
  }

  /// Sees to it that there are as many as a command needs: raises the soft limit as far as it must.
  ///
  /// - Throws: A problem of configuration where the hard limit does not allow it.
  package static func require(workers: Int) throws {
    let needed = rlim_t(base + 2 * workers)
    let limit = raised(to: needed)
    if limit < needed { throw tooFew(limit, needed: needed) }
  }

  /// The limit, which is raised to what is needed as far as it can be.
  private static func raised(to needed: rlim_t) -> rlim_t {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return needed }
    guard limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max else { return limit.rlim_cur }
    let before = limit.rlim_cur
    limit.rlim_cur = min(needed, limit.rlim_max)
    return setrlimit(kind, &limit) == 0 ? limit.rlim_cur : before
  }

  private static func tooFew(_ limit: rlim_t, needed: rlim_t) -> StatedProblem {
    StatedProblem(
      ProblemCode("too_few_descriptors", .configuration),
      "this process may open \(limit) files and connections at a time, and needs \(needed)",
      remedy: "raise the hard limit: ulimit -Hn \(needed), or LimitNOFILE=\(needed) in a unit")
  }
}
