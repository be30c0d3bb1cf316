# shellcheck shell=bash
# What backup.sh, archive.sh and restore.sh share beside common.sh: the stack's Postgres, also where all else is stopped.

compose() { docker compose --profile backup --progress quiet "$@"; }
one_off() { compose run --rm --no-deps -T "$@"; }

needs_postgres() {
  has postgres || fail "Postgres is not in this stack (docker/postgres-elsewhere.yml): whoever runs it makes its backups."
}

needs_archive() {
  [[ $(docker compose config) == *"archive_command="* ]] ||
    fail "There is no archive: COMPOSE_FILE=docker-compose.yml:docker/archive.yml in .env, then \`make up\` begins one."
}

runs() { [[ $(compose ps --status running --quiet "$@") ]]; }

# Where it does not run, it does for as long as this takes.
woken=
wake_postgres() {
  ! runs postgres || return 0
  say "starting Postgres"
  woken=yes
  quietly docker compose up --detach --wait postgres ||
    fail "Postgres does not start: \`docker compose logs postgres\` shows why. $1"
}

let_postgres_sleep() {
  [[ ! $woken ]] || quietly docker compose stop postgres
}

# Bytes that are free where a path of this machine is, or in Postgres' volume.
free_in() { free_by df -Pk -- "$1"; }
free_of_postgres() { free_by compose exec -T postgres df -Pk /var/lib/postgresql/data; }
free_by() { "$@" </dev/null | awk 'NR == 2 { printf "%.0f", $4 * 1024 }'; }
