import Glibc

/// A piece of arithmetic that is measured alone: no database, one thread.
///
/// A kernel is one file that conforms to this, and one line in `Kernels.all`.
protocol Kernel {
  /// The word that names it on the command line and in the JSON.
  static var name: String { get }

  /// What is being measured, as the heading of its rows.
  static var title: String { get }

  /// Measures every case; inputs come from a fixed seed.
  static func figures() -> [KernelFigure]
}

/// One case of a kernel: the time of one item, repeat by repeat.
struct KernelFigure {
  /// The case, as its row is headed.
  var name: String
  /// Processor time of one item in nanoseconds, a value for each repeat.
  var nanoseconds: [Double]
  /// The most that the median should be; nil where nothing was promised.
  var target: Double?
  /// What a part of an item costs, for example a flow of a series; nil where there are no parts.
  var parts: Int?
}

/// Times a body by the thread's own processor time, which neighbours on the machine do not swell.
enum KernelClock {
  /// The processor time of one item in nanoseconds, a value for each repeat.
  ///
  /// - Parameters:
  ///   - items: How many items one call of the body works through.
  ///   - body: Returns a number that depends on every result, so that none can be optimized away.
  static func measure(items: Int, repeats: Int = 41, _ body: () -> Double) -> [Double] {
    // A burst of some 3 ms: far above the clock's grain, and short beside a time slice.
    let calls = max(1, Int(3e6 / max(1, nanoseconds(of: body))))
    // A processor that stood idle takes a while to come up to speed.
    var warm = 0.0
    while warm < 2e8 { warm += nanoseconds(of: body) }
    return (0..<repeats).map { _ in
      nanoseconds {
        var sum = 0.0
        for _ in 0..<calls { sum += body() }
        return sum
      } / Double(calls * items)
    }
  }

  private static func nanoseconds(of body: () -> Double) -> Double {
    let start = now()
    let sum = body()
    let end = now()
    blackHole(sum)
    return end - start
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  @inline(never) private static func blackHole(_ value: Double) {
    if value == -0x1.2345p-987 { puts("an unlikely sum") }
  }
}

/// `closebell-bench kernels [NAME…]`: every kernel, or those named, against its targets.
enum Kernels {
  /// All kernels, in the order of the table.
  static var all: [any Kernel.Type] { [CloseKernel.self, ColdIRRKernel.self, WarmIRRKernel.self] }

  /// Measures and prints; false if a name is unknown.
  static func run(_ names: [String]) -> Bool {
    let unknown = names.filter { name in !all.contains { $0.name == name } }
    guard unknown.isEmpty else { return false }
    var members: [String] = []
    print("processor time of one thread, median of 41 bursts")
    print(row(["", "ns", "least", "most", "target", "ns a part", "a second"]))
    for kernel in all where names.isEmpty || names.contains(kernel.name) {
      print("\n\(kernel.title)")
      for figure in kernel.figures() {
        print(row(cells(figure)))
        members.append(json(kernel.name, figure))
      }
    }
    writeReport("{\"kernels\":[\(members.joined(separator: ","))]}\n")
    return true
  }

  private static func cells(_ figure: KernelFigure) -> [String] {
    let middle = median(figure.nanoseconds)
    let target = figure.target.map { (middle <= $0 ? "≤ " : "over ") + plain($0) }
    return [
      figure.name, plain(middle), plain(figure.nanoseconds.min() ?? 0),
      plain(figure.nanoseconds.max() ?? 0), target ?? "–",
      figure.parts.map { plain(middle / Double($0)) } ?? "–", plain((1e9 / middle).rounded()),
    ]
  }

  private static func row(_ cells: [String]) -> String {
    let widths = [34, 9, 9, 9, 12, 10, 12]
    return zip(cells, widths).enumerated().map { index, cell in
      let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
      return index == 0 ? cell.0 + space : space + cell.0
    }.joined(separator: " ")
  }

  private static func json(_ kernel: String, _ figure: KernelFigure) -> String {
    """
    {"kernel":"\(kernel)","case":"\(figure.name)","nanoseconds":\(median(figure.nanoseconds)),\
    "least":\(figure.nanoseconds.min() ?? 0),"most":\(figure.nanoseconds.max() ?? 0),\
    "target":\(figure.target.map { "\($0)" } ?? "null")}
    """
  }

  /// Two decimal places, or none where they would be noise.
  private static func plain(_ value: Double) -> String {
    value < 1_000 ? twoPlaces(value) : "\(Int(value.rounded()))"
  }
}
