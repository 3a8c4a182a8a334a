/// Random numbers that are the same for the same seed: SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014).
///
/// Inlined, since tests that draw millions of numbers are compiled with optimization, and this
/// module is not.
@frozen
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  /// The numbers of a seed.
  @inlinable public init(seed: UInt64) { state = seed }

  /// The next number, of 64 bits.
  @inlinable public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 up to but not including `bound`.
  ///
  /// By multiplication, without rejection: a bias of 2⁻⁴⁰ does not matter to a test.
  @inlinable public mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// True once in so many times.
  @inlinable public mutating func chance(oneIn count: Int) -> Bool { below(count) == 0 }

  /// One of several.
  @inlinable public mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[below(choices.count)]
  }
}
