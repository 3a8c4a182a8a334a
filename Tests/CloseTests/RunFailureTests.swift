import Accounting
import Synchronization
import TestSupport
import Testing

@testable import Close
@testable import Postgres
@testable import Storage

/// What a run says of itself where several things went wrong at once.
@Suite struct RunFailureTests {
  private static func server(_ state: String) -> PostgresError {
    PostgresError(
      .server, state, sqlState: state, reachedServer: true, connectionIsLost: state == "57P01")
  }

  private static let cancelled = PostgresError(
    .cancelled, "cancelled", statementName: "lease-renew")
  private static let lost = PostgresError(
    .connectionLost, "the line was cut", reachedServer: true, connectionIsLost: true)

  private static func orders(of errors: [any Error]) -> [[any Error]] {
    guard errors.count > 1 else { return [errors] }
    return errors.indices.flatMap { index in
      var others = errors
      let first = others.remove(at: index)
      return orders(of: others).map { [first] + $0 }
    }
  }

  private static func told(
    _ errors: [any Error], leaseIsOver: Bool = true, lostSlots: Bool = false
  ) -> (any Error)? {
    RunFailure.told(errors, leaseIsOver: leaseIsOver, lostSlots: lostSlots)
  }

  @Test("a run whose lease is over says so, in whatever order its errors arrive")
  func leaseIsOver() {
    for errors in [
      [LeaseEnded(), Self.cancelled, Self.server("57P01"), Self.server("53100")],
      [LeaseGone(), CancellationError(), Self.lost], [Self.cancelled], [Self.server("25P03")],
      [Self.cancelled, Self.server("57P01"), Self.lost, CancellationError()],
    ] as [[any Error]] {
      for order in Self.orders(of: errors) {
        let error = Self.told(order)
        #expect(error is LeaseEnded || error is LeaseGone, "\(order)")
      }
    }
    let here = ServerIdentity(system: 1, timeline: 1)
    for order in Self.orders(of: [LeaseEnded(), ServerChanged(from: here, to: here), LeaseGone()]) {
      #expect(Self.told(order) is ServerChanged)
    }
    #expect(Self.told([], lostSlots: true) is LeaseEnded)
    #expect(Self.told([]) == nil, "all that was to be done was done")
  }

  @Test("what is wrong with the server comes before what was only cut off for its sake")
  func others() {
    for leaseIsOver in [true, false] {
      for order in Self.orders(
        of: [Self.cancelled, Self.server("53100"), CancellationError()])
      {
        let error = Self.told(order, leaseIsOver: leaseIsOver) as? PostgresError
        #expect(error?.sqlState == "53100", "\(order)")
      }
    }
    #expect(Self.told([Self.lost], leaseIsOver: false) is PostgresError)
    #expect(Self.told([CancellationError()], leaseIsOver: false) is CancellationError)
    #expect(Self.told([], leaseIsOver: false, lostSlots: true) == nil)
  }

  @Test("a commit whose outcome nobody knows is told as it is, though the lease is over")
  func unknownCommit() throws {
    let unknown = TransactionError(
      step: .commit, cause: Self.lost, bodyError: nil, commitOutcomeUnknown: true)
    #expect(Self.told([unknown, Self.cancelled]) is TransactionError)
  }

  @Test("a heartbeat that is called off while it prolongs the lease has nothing to say")
  func calledOff() async throws {
    let books = try await DemoBooks.small()
    let settings = DemoBooks.settings { $0.leaseSeconds = 0.08 }
    let day = try #require(Day("2017-06-30"))
    let opening = RunOpening(
      kind: "run", from: day, through: day, settings: settings, token: 1)
    let begun = BegunRun(
      run: 1,
      lease: Lease(claim: 1, token: 1, server: ServerIdentity(system: nil, timeline: nil)),
      selection: .all, reclaimed: 0, overrides: [:])
    let context = RunContext(opening, begun, leaseAsked: .now - .seconds(60))
    #expect(!context.mayWrite)
    let gate = Gate(before: .named("lease-renew"))
    var held = books.configuration
    held.faultPlan = gate.plan
    let connection = try await Connection.connect(held)
    let beating = Task { await Heartbeat(context: context, connection: connection).beat() }
    #expect(try await gate.reached())
    beating.cancel()
    gate.open()
    #expect(await beating.value == nil)
    #expect(!context.isStopping)
    await connection.close()
  }
}
