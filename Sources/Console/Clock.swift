import Glibc

/// The only place that looks at this machine's clock.
///
/// It is for what is written beside messages and metrics. What is over, `ServerClock` decides.
package enum Clock {
  /// Seconds since 2000-01-01 00:00 UTC.
  package static var now: Int64 { unix - 946_684_800 }

  /// Seconds since 1970-01-01 00:00 UTC.
  package static var unix: Int64 { Int64(time(nil)) }
}

extension Clock {
  /// The time in UTC with milliseconds, as logs have it.
  package static var timestamp: String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let bytes = buffer.prefix(length).map { UInt8(bitPattern: $0) }
    let milliseconds = String(1_000 + now.tv_nsec / 1_000_000).dropFirst()
    return String(decoding: bytes, as: UTF8.self) + ".\(milliseconds)Z"
  }
}
