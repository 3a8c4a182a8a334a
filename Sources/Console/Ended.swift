package import Problems

/// Ends the program where what there is to say was said.
package struct Ended: Error, Sendable {
  /// The exit code that scripts see.
  package let code: Int32

  package init(_ kind: ProblemKind) { code = kind.exitCode }

  /// One of several that speaks for all of them.
  package init(code: Int32) { self.code = code }
}
