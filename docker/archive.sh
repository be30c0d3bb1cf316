#!/usr/bin/env bash
# Adds a whole copy of the data to the archive of docker/archive.yml, from which every later moment can be reached; what
# no moment of the last DAYS (7) needs any longer goes.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh
# shellcheck source=docker/database.sh
. docker/database.sh

main() {
  [[ $DAYS =~ ^[0-9]+$ ]] || fail "DAYS is a number of days, not $DAYS."
  needs
  alone
  needs_postgres
  needs_archive
  runs postgres || fail "Postgres does not run: \`make up\` starts it. Nothing was changed."
  say "copying the data"
  compose exec -T postgres wal.sh base "$DAYS" </dev/null 2>&1 | sed 's/^wal.sh: /archive: /' >&2 ||
    fail "No copy was made. What was there is there."
}

main
