#!/usr/bin/env bash
# What a compose file may expect of the official image's entrypoint.
set -euo pipefail

main() {
  if [[ ${1:-} == -* ]]; then
    set -- postgres "$@"
  fi
  if [[ $1 == postgres && ! ${2:-} =~ ^(-\?|--help|-V|--version)$ ]]; then
    take_folders
    drop_root "$@"
    [[ -s $PGDATA/PG_VERSION ]] || create_cluster "$@"
  fi
  exec "$@"
}

take_folders() {
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA" || :
  if [[ $EUID == 0 ]]; then
    find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres:postgres {} +
  fi
}

drop_root() {
  if [[ $EUID == 0 ]]; then
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
  fi
}

create_cluster() {
  read_settings
  # shellcheck disable=SC2086  # words
  initdb --username "$POSTGRES_USER" --pwfile <(echo "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
  # Only this script can reach the server until everything is in it: nobody finds it half ready.
  pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${@:2}" -c listen_addresses=)" start
  create_database
  run_scripts
  pg_ctl -D "$PGDATA" -w -m fast stop
  echo "PostgreSQL init process complete; ready for start up."
}

read_settings() {
  setting POSTGRES_PASSWORD ""
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_HOST_AUTH_METHOD scram-sha-256
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    echo "Error: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set." >&2
    exit 1
  fi
}

# NAME, else the content of the file that NAME_FILE names, else a default.
setting() {
  local name=$1 file_name=${1}_FILE value=$2
  if [[ -n ${!name:-} ]]; then
    value=${!name}
  elif [[ -n ${!file_name:-} ]]; then
    value=$(<"${!file_name}")
  fi
  export "$name=$value"
}

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"; }

create_database() {
  if [[ $POSTGRES_DB != postgres ]]; then
    sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    # shellcheck disable=SC1090
    case $script in
      *.sh) if [[ -x $script ]]; then "$script"; else . "$script"; fi ;;
      *.sql) sql --dbname "$POSTGRES_DB" --file "$script" ;;
      *.sql.gz) gunzip -c "$script" | sql --dbname "$POSTGRES_DB" ;;
    esac
  done
}

main "$@"
