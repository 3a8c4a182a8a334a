/// How moments are read outside: `2026-01-31T22:05:09Z`, in UTC.
enum MomentText {
  /// SQL for the text of a `timestamptz`, whatever the session's time zone.
  static func sql(_ moment: String) -> String {
    """
    pg_catalog.to_char(\(moment) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    """
  }
}
