#!/usr/bin/env bash
# Starts Postgres. Where the data folder does not know the password in the volume `secrets`, or comes from a version in
# which the application was the superuser, the roles are made first, while nobody can come in by network.
set -euo pipefail

main() {
  if [[ -s $PGDATA/PG_VERSION ]] && ! roles.sh made; then
    say "making the roles"
    mend "${@:2}" || say "The roles cannot be made, for the reason above: they stay as they are."
  fi
  exec docker-entrypoint.sh "$@"
}

say() { echo "start.sh: $*" >&2; }

# `||` above turns `set -e` off in here.
mend() {
  local status=0
  pg_ctl -D "$PGDATA" -w -t 3600 -o "$(printf '%q ' "$@" -c listen_addresses=)" start || return
  roles.sh || status=$?
  pg_ctl -D "$PGDATA" -w -m fast stop
  return "$status"
}

main "$@"
