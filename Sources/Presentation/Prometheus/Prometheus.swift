/// The text format of Prometheus.
package enum Prometheus {
  /// A gauge with its samples, each with its labels as they are written, braces included.
  static func gauge(
    _ name: String, _ help: String, _ samples: [(labels: String, value: String)]
  ) -> String {
    """
    # HELP \(name) \(help)
    # TYPE \(name) gauge
    \(samples.map { "\(name)\($0.labels) \($0.value)" }.joined(separator: "\n"))

    """
  }

  /// A gauge of one value.
  static func gauge(_ name: String, _ help: String, _ value: String) -> String {
    gauge(name, help, [("", value)])
  }
}
