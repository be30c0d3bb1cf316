#!/usr/bin/env bash
# Makes the roles in a server that listens on the container's socket alone, and gives them what they own and may.
#
# The image's entrypoint runs it for a new data folder, and start.sh for one that was made by other roles or passwords.
# `roles.sh made` asks whether that is done, `roles.sh rights NAME` gives the rights in one more database.
set -euo pipefail

folder=/etc/postgresql
mark=$PGDATA/roles.made
rights=(--set owner=rooms_owner --set servers=rooms --file "$folder/rights.sql")
databases=(rooms rooms_replaced) # the second is what `make restore` leaves

main() {
  case ${1:-} in
    made) [[ $(cat "$mark" 2>/dev/null) == $(fingerprint) ]] ;;
    rights) as postgres "$2" "${rights[@]}" ;;
    *) make_roles ;;
  esac
}

fingerprint() { cat "$folder"/{roles,owner,rights}.sql /run/secrets/postgres{,_owner}_password | sha256sum; }

make_roles() {
  local superuser=postgres name
  as postgres rooms --command 'SELECT 1' >/dev/null 2>&1 || superuser=rooms
  as "$superuser" rooms --single-transaction --file "$folder/roles.sql"
  for name in "${databases[@]}"; do
    there_is "$name" || continue
    as postgres "$name" --single-transaction --file "$folder/owner.sql" "${rights[@]}"
  done
  fingerprint >"$mark"
}

there_is() { [[ $(as postgres postgres --tuples-only --no-align --command "SELECT 1 FROM pg_database WHERE datname = '$1'") ]]; }

as() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$1" --dbname "${@:2}"; }

main "$@"
