import Testing

@testable import Accounting

@Suite("Double-double arithmetic")
struct DoubleDoubleTests {
  @Test(
    "An exponential has thirty digits",
    arguments: [
      // Both halves from a library of arbitrary precision.
      (1.0, 0x1.5bf0a8b145769p+1, 0x1.4d57ee2b1013ap-53),
      (0.02, 0x1.052bea3ec0132p+0, 0x1.3be4aa35d5642p-55),
      (-0.1, 0x1.cf46d99d52b3ap-1, 0x1.d255100c4c1e2p-55),
      (-36.7, 0x1.0998b04bdd190p-53, -0x1.364f7ad633702p-107),
    ])
  func exponential(power: Double, high: Double, low: Double) {
    let value = DoubleDouble(power).exponential
    #expect(value.high == high)
    #expect(abs(value.low - low) <= 1e-29 * high)
  }
}
