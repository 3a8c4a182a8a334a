import ArgumentParser
import Close
import Glibc
import Operations
import Presentation
import Problems
import Text

/// `replay --dry-run`: what a replay would write, old → new, and nothing written.
struct ReplayPreview {
  let range: ReplayRange
  let settings: RunSettings
  let common: CommonOptions

  func run() async throws {
    let signals = Signals { _ in _exit(130) }
    defer { signals.restore() }
    let preview = try await common.operations(for: "replay").preview(range, settings)
    try common.present(preview) { ReplayPreviewText($0).text }
    for failure in preview.failures {
      Terminal.complain(
        "error: portfolio \(failure.portfolio.shown), \(failure.date): \(failure.error)")
    }
    if !preview.failures.isEmpty { throw ExitCode(.refused) }
  }
}
