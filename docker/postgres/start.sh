#!/usr/bin/env bash
# Starts Postgres. Where the data folder does not know the passwords in the volume `secrets`, or comes from a version in
# which the servers owned the tables, the roles are made first, while nobody can come in by network.
#
# `start.sh check` asks only whether this Postgres can read the data folder.
set -euo pipefail

main() {
  if is_of_another_version; then
    say_what_to_do
    [[ ${1:-} != check ]] || exit 1
    wait_for_it
  fi
  [[ ${1:-} != check ]] || exit 0
  if [[ -s $PGDATA/PG_VERSION ]] && ! roles.sh made; then
    say "making the roles"
    mend "${@:2}" || say "The roles cannot be made, for the reason above: they stay as they are."
  fi
  exec docker-entrypoint.sh "$@"
}

is_of_another_version() { [[ -s $PGDATA/PG_VERSION && $(<"$PGDATA/PG_VERSION") != "$PG_MAJOR" ]]; }

say_what_to_do() {
  say "The volume \`postgres\` has the data of Postgres $(<"$PGDATA/PG_VERSION"), and this is $PG_MAJOR. With the version" \
    "before this one \`make backup\`, then \`docker compose down\` and \`docker volume rm …_postgres\`, and with this one" \
    "\`make restore FILE=…\`: docs/operate.md."
}

# Who ended would be started again and again. The health check says that nothing works.
wait_for_it() {
  trap 'exit 0' INT TERM
  sleep infinity &
  wait
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
