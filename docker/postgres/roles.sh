#!/usr/bin/env bash
# Makes the roles in a server that listens on the container's socket alone; `roles.sh made` asks whether that is done.
#
# The image's entrypoint runs it for a new data folder, and start.sh for one that was made by other roles or passwords.
set -euo pipefail

sql=/etc/postgresql/roles.sql
mark=$PGDATA/roles.made

main() {
  if [[ ${1:-} == made ]]; then
    [[ $(cat "$mark" 2>/dev/null) == $(fingerprint) ]]
  else
    make_roles
  fi
}

fingerprint() { cat "$sql" /run/secrets/postgres_password | sha256sum; }

make_roles() {
  local superuser=postgres
  as postgres --command 'SELECT 1' >/dev/null 2>&1 || superuser=rooms
  as "$superuser" --single-transaction --file "$sql"
  fingerprint >"$mark"
}

as() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$1" --dbname rooms "${@:2}"; }

main "$@"
