import Accounting
import Testing

@Suite struct FingerprintTests {
  @Test("the published vectors of SipHash-2-4-128 come out")
  func vectors() {
    #expect(FingerprintHasher().finish().description == "a3817f04ba25a8e66df67214c7550293")
    var eight = FingerprintHasher()
    eight.write(0x0706_0504_0302_0100 as UInt64)
    #expect(eight.finish().description == "3b62a9ba6258f5610f83e264f31497b4")
  }

  @Test("bytes and fingerprint are each other's way back")
  func bytes() {
    let some = Fingerprint(low: 0x0102_0304_0506_0708, high: 0xf0e0_d0c0_b0a0_9080)
    #expect(Fingerprint(bytes: some.bytes) == some)
    #expect(some.bytes.count == 16)
    #expect(Fingerprint(bytes: Array(some.bytes.dropLast())) == nil)
  }

  @Test("sequences of values that could run into one another do not")
  func framing() {
    func digest(_ write: (inout FingerprintHasher) -> Void) -> Fingerprint {
      var hasher = FingerprintHasher()
      write(&hasher)
      return hasher.finish()
    }
    let all = [
      digest {
        $0.write("AB"); $0.write("C")
      },
      digest {
        $0.write("A"); $0.write("BC")
      },
      digest { $0.write("ABC") }, digest { $0.write("") }, digest { $0.write(nil as Day?) },
      digest { $0.write(Money.zero) }, digest { _ in },
      digest { $0.write("ABCDEFGH") }, digest { $0.write("ABCDEFGH\0") },
    ]
    #expect(Set(all).count == all.count)
  }

  @Test("a missing amount is not zero, and a missing date is none of the dates")
  func nothing() {
    func digest(_ write: (inout FingerprintHasher) -> Void) -> Fingerprint {
      var hasher = FingerprintHasher()
      write(&hasher)
      return hasher.finish()
    }
    let amounts = [nil, Money.zero, Money(units: 1), Money(units: 1 << 64)]
    #expect(Set(amounts.map { amount in digest { $0.write(amount) } }).count == 4)
    let days = [nil, Day(number: 0), .earliest, .latest]
    #expect(Set(days.map { day in digest { $0.write(day) } }).count == 4)
    // Where there is a number, its units follow, of whichever scale.
    let five = digest {
      $0.write(1)
      $0.write(Money(units: 5))
    }
    #expect(digest { $0.write(Price(units: 5) as Price?) } == five)
  }

  @Test("a set's digest does not depend on the order, and is part of what it is written to")
  func sets() {
    let parts = (1...3).map { Fingerprint(low: UInt64($0) << 62, high: UInt64($0)) }
    let sum = parts[0] + parts[1] + parts[2]
    #expect(sum == parts[2] + (parts[0] + parts[1]))
    var (first, second) = (FingerprintHasher(), FingerprintHasher())
    first.write(sum)
    second.write(parts[0] + parts[1])
    #expect(first.finish() != second.finish())
  }
}
