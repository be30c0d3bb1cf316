#!/usr/bin/env bash
# Brings back what `make backup` wrote into the file FILE; IDENTITY is the secret key that it was encrypted to.
#
# The backup goes into a database beside the one there is. Only when it holds what it must hold, fits this version, and
# has new epochs, so that clients start over, does it take the place of the other one. That one stays as
# `rooms_replaced` until the next restore. Whatever fails before leaves everything as it was.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh
# shellcheck source=docker/database.sh
. docker/database.sh

database=rooms
scratch=rooms_restored
replaced=rooms_replaced

main() {
  local key
  look_at_files
  needs
  alone
  needs_postgres
  refuse_a_live_stack
  quietly docker compose --profile backup build || fail "The images cannot be built. Nothing was changed."
  build_secrets
  trap clean_up EXIT
  wake_postgres "Nothing was changed."
  refuse_clients
  quietly docker compose up --detach --wait postgres || fail "This version's Postgres does not start. Nothing was changed."
  make_scratch
  key=$(load) || exit 1
  bring_up_to_date
  take_over
  put_key "$key"
  say "done: \`make up\` starts the stack, and everybody's browser starts over."
}

look_at_files() {
  [[ ${FILE:-} ]] || fail "Which backup? \`make restore FILE=backups/…\`"
  [[ -f $FILE && -r $FILE ]] || fail "There is no file $FILE that can be read. Nothing was changed."
  [[ ! ${IDENTITY:-} || -r $IDENTITY ]] || fail "There is no file $IDENTITY that can be read. Nothing was changed."
}

refuse_a_live_stack() {
  ! runs nginx web ws migrate ||
    fail "The stack is running, and a restore would take what people say meanwhile. \`docker compose stop nginx web ws\`" \
      "stops it, then try again. Nothing was changed."
}

# Of other programs, which no `docker compose ps` shows.
refuse_clients() {
  local count
  count=$(ask "SELECT count(*) FROM pg_stat_activity
    WHERE datname = '$database' AND backend_type = 'client backend'")
  ((count == 0)) || fail "$count connections to the database are open: end the programs that have them. Nothing was changed."
}

ask() { psql_on postgres --command "$1"; }
psql_on() {
  compose exec -T postgres psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --username postgres \
    --dbname "$@" </dev/null
}

make_scratch() {
  local sql
  for sql in "DROP DATABASE IF EXISTS $scratch" \
    "CREATE DATABASE $scratch OWNER rooms_owner TEMPLATE template0 ENCODING 'UTF8'"; do
    quietly ask "$sql" || fail "No database can be made beside the one there is. Nothing was changed."
  done
  quietly compose exec -T postgres roles.sh rights "$scratch" || fail "The servers get no rights in it. Nothing was changed."
}

# Prints the key that the backup holds. The secret key for decryption goes before the file: nowhere could others see it.
load() {
  local free size
  free=$(free_of_postgres)
  size=$(wc -c <"$FILE" | tr -d ' ')
  {
    [[ ! ${IDENTITY:-} ]] || base64 <"$IDENTITY" | tr -d '\n'
    echo
    cat -- "$FILE"
  } | one_off backup restore --database "$scratch" --free "$free" --size "$size"
}

bring_up_to_date() {
  say "bringing the tables up to this version"
  on_scratch migrate --noinput || fail "This version cannot work with the backup: try the one it was made of. Nothing was changed."
  say "giving all topics new epochs"
  on_scratch new_epoch || fail "The topics got no new epochs. Nothing was changed."
}

# shellcheck disable=SC2016  # expanded in the container
on_scratch() {
  once --env "SCRATCH=$scratch" migrate sh -euc '
    address() { sed "s,/[a-z]*\$,/$SCRATCH," "/run/secrets/$1"; }
    export DATABASE_URL="$(address database_url)" MIGRATE_DATABASE_URL="$(address migrate_database_url)"
    DATABASE_URL_FILE= MIGRATE_DATABASE_URL_FILE= exec python manage.py "$@"
  ' sh "$@"
}

take_over() {
  local tables
  tables=$(psql_on "$database" --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
  quietly ask "DROP DATABASE IF EXISTS $replaced" || fail "The database $replaced cannot be removed. Nothing was changed."
  quietly psql_on postgres --single-transaction --command "ALTER DATABASE $database RENAME TO $replaced" \
    --command "ALTER DATABASE $scratch RENAME TO $database" ||
    fail "The database is in use: end the programs that have it open. Nothing was changed."
  if ((tables)); then
    say "the database before is $replaced until the next restore; \`docker compose exec postgres dropdb -U postgres $replaced\` removes it."
  else
    quietly ask "DROP DATABASE $replaced"
  fi
}

put_key() {
  [[ $1 ]] || return 0
  printf '%s' "$1" | one_off secrets python -I -S /generate.py /run/secrets secret_key ||
    fail "The database is restored, but its key is not: all must log in again. The same command tries again."
}

clean_up() {
  if runs postgres; then
    ask "DROP DATABASE IF EXISTS $scratch" >/dev/null 2>&1 || :
  fi
  let_postgres_sleep
}

main
