#!/usr/bin/env bash
# The nightly close, end to end, on real prices: a private cluster, the schema, the imports, two
# nights, the books, and a second run that changes nothing. Called by `make demo`.
set -euo pipefail

closebell=$(realpath "${1:?usage: demo.sh CLOSEBELL}")
here=$(cd "$(dirname "$0")" && pwd)

# A cluster of its own, whatever the environment says.
while IFS= read -r name; do unset "$name"; done \
  < <(compgen -e | grep -E '^(CLOSEBELL_|PG)' || true)
export CLOSEBELL_HOME="${TMPDIR:-/tmp}/closebell-demo-$(id -u)"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ closebell %s\n' "$*"; "$closebell" "$@"; }

cleanup() { "$closebell" postgres stop --quiet >/dev/null 2>&1 || true; rm -rf "$CLOSEBELL_HOME"; }
trap cleanup EXIT
cleanup

say "A private PostgreSQL cluster, and the schema"
run postgres start
run migrate

say "The imports: 2014–2017 prices, exchange rates, and the portfolios' activities"
(
  cd "$here/demo"
  run import instruments instruments.csv
  run import portfolios portfolios.csv
  run import calendars calendars.csv
  run import prices prices.csv
  run import fx-rates fx-rates.csv
  run import corporate-actions corporate-actions.csv
  run import activities activities.csv
  run import valuations valuations.csv
)

say "The first close, and the next night"
run run --date 2017-06-29
run run --date 2017-06-30

say "The same night again: nothing is applied twice"
run run --date 2017-06-30

say "The books"
for code in THAMES MERIDIAN HEATHER KESTREL; do
  run show "$code" --date 2017-06-30
  printf '\n'
done

say "How far everything is closed"
run status
