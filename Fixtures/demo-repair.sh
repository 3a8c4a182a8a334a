#!/usr/bin/env bash
# The incident and its healing, before the reader's eyes: an older batch's table that four runs of
# one night inflated, and the same done by hand to Closebell's own tables. On the private cluster,
# in a database of its own. Called by `make demo-repair`.
set -euo pipefail

closebell=$(realpath "${1:?usage: demo-repair.sh CLOSEBELL}")
here=$(cd "$(dirname "$0")" && pwd)/incident
table=legacy.portfolio_snapshots

# A cluster of its own, whatever the environment says.
while IFS= read -r name; do unset "$name"; done \
  < <(compgen -e | grep -E '^(CLOSEBELL_|PG)' || true)
export CLOSEBELL_HOME="${TMPDIR:-/tmp}/closebell-demo-repair-$(id -u)"
plans=$(mktemp -d)

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ closebell %s\n' "$*"; "$closebell" "$@"; }
# What is meant to be refused: shown with its exit code.
refused() {
  local code=0
  run "$@" 2>&1 || code=$?
  printf '(exit %s)\n' "$code"
  [ "$code" -ne 0 ]
}
psql=$(PATH="$PATH:$(pg_config --bindir 2>/dev/null || true)" command -v psql)
sql() { "$psql" -X -q -v ON_ERROR_STOP=1 -d "$CLOSEBELL_DATABASE_URL" "$@"; }
books() {
  sql -c "select p.code, s.snapshot_date, s.opening_equity, s.daily_pnl, s.closing_equity
    from closebell.portfolio_snapshots s join closebell.portfolios p on p.id = s.portfolio_id
    where s.is_complete order by p.code, s.snapshot_date"
}
last_run() { sql -At -c "select max(run_id) from closebell.repair_runs"; }

cleanup() {
  (unset CLOSEBELL_DATABASE_URL; "$closebell" postgres stop --quiet >/dev/null 2>&1) || true
  rm -rf "$CLOSEBELL_HOME" "$plans"
}
trap cleanup EXIT
cleanup
mkdir -p "$plans"

say "A database of its own, and an older batch's table in it"
"$closebell" postgres start --quiet
url=$("$closebell" postgres url)
CLOSEBELL_DATABASE_URL=$url sql -c 'create database incident'
export CLOSEBELL_DATABASE_URL="${url/\/closebell?/\/incident?}"
sql -f "$here/legacy.sql"

say "The damage: the night of 2014-03-04 ran four times, each on top of the last"
sql -c "select portfolio_code, snapshot_date, opening_equity, daily_pnl, closing_equity,
  is_complete as complete, to_char(created_at at time zone 'UTC', 'MM-DD HH24:MI') as written
  from $table order by portfolio_code, snapshot_date, created_at"

say "It cannot be adopted like that"
refused migrate --adopt "$table"

say "The plan: which row of each night stands, and why"
run repair duplicates "$table" --plan "$plans/duplicates.json"

say "The plan, carried out; what is removed goes to closebell.repair_archive"
run repair duplicates --apply "$plans/duplicates.json"
first=$(last_run)

say "A change of mind, and back again: the same plan still fits"
run repair undo "$first" --yes
run repair duplicates --apply "$plans/duplicates.json"

say "What Closebell itself makes of those nights, from activities and prices"
(
  cd "$here"
  for kind in instruments portfolios prices activities; do
    run import "$kind" "$kind.csv" --quiet
  done
)
for day in 03 04 05; do run run --date "2014-03-$day" --quiet; done
books

say "The table is adopted: it has its key now, and stands beside Closebell's own closes"
run migrate --adopt "$table"
sql -c "select portfolio, snapshot_date, adopted_equity, closing_equity, difference,
  stale_reason is not null as stale
  from closebell.adopted_comparison order by portfolio, snapshot_date"

say "The same incident, by hand, in Closebell's own tables: every check of the rows is kept"
sql -f "$here/corrupt.sql"
books

say "The plan: the last good snapshot of each portfolio, and what is closed again after it"
run repair equity --plan "$plans/equity.json"

say "An edited plan is refused"
sed 's/"-1625000.0000"/"14200000.0000"/' "$plans/equity.json" > "$plans/edited.json"
refused repair equity --apply "$plans/edited.json"

say "The plan, carried out"
run repair equity --apply "$plans/equity.json" --quiet
second=$(last_run)
books

say "Undone, and done again"
run repair undo "$second" --yes
books
run repair equity --apply "$plans/equity.json" --quiet
books

say "Nothing is left to do, and the next night closes from the healed equity"
run repair equity
run repair duplicates "$table"
run run --date 2014-03-06 --quiet
sql -At -F ' ' -c "select p.code, s.closing_equity from closebell.portfolio_snapshots s
  join closebell.portfolios p on p.id = s.portfolio_id
  where s.snapshot_date = '2014-03-06' order by 1"
