#!/usr/bin/env bash
# The nightly close, end to end, on real prices: a private cluster, the schema, the imports, three
# nights, the last one started sixteen times at once, and the books. Called by `make demo`; with
# KEEP=1 the cluster is left.
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
cleanup
[[ -n ${KEEP:-} ]] || trap cleanup EXIT

# Starts a night many times at once, and says how each run ended.
crowd() {
  local pids=() i code
  for ((i = 0; i < $1; i++)); do
    "$closebell" run --date "$2" --quiet &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    code=0
    wait "$i" || code=$?
    printf '%s ' "$code"
  done
  printf '← the exit codes: all waited until the night was done\n'
}

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

say "The same night again, and then sixteen times at once: nothing is applied twice"
run run --date 2017-06-30
printf '$ closebell run --date 2017-07-03 &  (× 16)\n'
crowd 16 2017-07-03
run verify

say "The books"
for code in THAMES MERIDIAN HEATHER KESTREL; do
  run show "$code" --date 2017-06-30
  printf '\n'
done

say "How far everything is closed"
run status

if [[ -n ${KEEP:-} ]]; then
  say "Kept for you to try: what you start sixteen times is closed once"
  printf '%s\n' \
    "export CLOSEBELL_HOME=$CLOSEBELL_HOME" \
    "for i in {1..16}; do $closebell run --date 2017-07-05 & done; wait" \
    "$closebell status; $closebell verify" \
    "$closebell postgres stop; rm -rf \$CLOSEBELL_HOME"
fi
