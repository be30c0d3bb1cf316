#!/usr/bin/env bash
# Brings a new version while people talk.
#
# Builds, checks, migrates once, starts the new web and ws containers beside the old ones, and when all of them are
# healthy asks the old ones to leave: they say goodbye to their sockets, and whoever was on them comes back to the new
# ones. nginx follows by itself, and takes over its new configuration. A new version that cannot be built, migrated or
# started leaves the old one running: exit status 1.
#
# Redis, Postgres and nginx itself cannot stand beside their successors. Where they have changed they are replaced, one
# after another, and each time it is said what that costs.
#
# The old version works on the migrated database for a while, so a migration must leave it what it needs: which one does
# not is said before anything is touched.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh

services=(web ws)
healthy_seconds=120
old=()   # containers
scale=() # twice as many

main() {
  needs
  alone
  remember_old
  trap leave_as_it_was EXIT
  say "building"
  quietly docker compose build || fail "The new version cannot be built."
  check
  docker compose --progress quiet run --rm --no-deps -T migrate python manage.py check_migrations >&2 </dev/null ||
    fail "What is to be migrated is refused: see above, and docs/upgrading.md. Nothing was changed."
  let_the_owner_in
  say "migrating"
  once migrate || fail "The migration failed."
  say "starting the new containers"
  start_beside || fail "The new containers cannot be started."
  all_healthy
  trap - EXIT

  # Whoever leaves the old servers leaves the old nginx workers as well, so nobody has to come back twice.
  once edge || fail "nginx' configuration cannot be published."
  reload_nginx
  say "asking the old containers to leave"
  docker stop "${old[@]}" >/dev/null # each has its stop_grace_period
  docker rm "${old[@]}" >/dev/null
  replace redis "messages take some moments longer"
  replace postgres "for some seconds nobody can speak, and what is said meanwhile is sent again"
  replace nginx "for up to 20 seconds nobody can come in"
  replace certificates "the certificate stays as it is"
  say "done"
}

remember_old() {
  local service here id
  for service in "${services[@]}"; do
    here=0
    for id in $(docker compose ps --all --quiet "$service"); do
      old+=("$id")
      here=$((here + 1))
    done
    ((here)) || fail "There is no $service container: \`make up\` starts the stack."
    scale+=(--scale "$service=$((2 * here))")
  done
  remember_images
}

# Postgres is replaced last, so the one that runs may be of a version that knew nobody but the servers, who owned all.
# Its tables are handed over when it is replaced, since that locks each of them.
let_the_owner_in() {
  has postgres || return 0
  quietly make_roles || fail "Postgres takes no roles: \`docker compose logs postgres\` shows why, \`make up\` makes them."
}

make_roles() {
  cat docker/postgres/roles.sql docker/postgres/rights.sql |
    docker compose exec -T postgres psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set owner=rooms_owner \
      --set servers=rooms --username postgres --dbname rooms --single-transaction --file -
}

# Not --no-deps: containers made with it differ, in the eyes of compose, from what the next `up` would make. What they
# depend on runs, but for the migration, of which the old version's container would be started.
start_beside() {
  forget_what_ended
  quietly docker compose up --detach --no-recreate "${scale[@]}" "${services[@]}"
}

new() {
  local id
  for id in $(docker compose ps --all --quiet "${services[@]}"); do
    [[ " ${old[*]} " == *" $id "* ]] || echo "$id"
  done
}

# One that ended is a failure at once, although it is started again.
all_healthy() {
  local id fresh waiting=yes deadline=$((SECONDS + healthy_seconds))
  fresh=$(new)
  while [[ $waiting ]]; do
    waiting=
    for id in $fresh; do
      case $(state "$id") in
        "healthy 0 true") ;;
        "starting 0 true") ((SECONDS < deadline)) || unhealthy "$id"; waiting=yes ;;
        *) unhealthy "$id" ;;
      esac
    done
    sleep 0.2
  done
}

state() { docker inspect --format '{{.State.Health.Status}} {{.RestartCount}} {{.State.Running}}' "$1"; }

unhealthy() {
  docker logs --tail 30 "$1" >&2
  fail "$(docker inspect --format '{{slice .Name 1}}' "$1") does not become healthy."
}

leave_as_it_was() {
  local id
  for id in $(new); do
    docker rm --force "$id" >/dev/null
  done
  put_images_back
  say "The old version goes on."
}

# --- what has one container only ---

replace() {
  has "$1" && differs "$1" || return 0
  say "replacing $1: $2"
  quietly docker compose up --detach --wait "$1" ||
    fail "The new $1 does not become healthy: \`docker compose logs $1\` shows why. web and ws are the new version's."
}

differs() {
  local id runs wanted
  id=$(docker compose ps --all --quiet "$1")
  [[ $id ]] || return 0
  runs=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.config-hash"}} {{.Image}}' "$id")
  wanted="$(docker compose config --hash "$1" | cut -d ' ' -f 2) $(image_of "$id")"
  [[ $runs != "$wanted" ]]
}

# What the name of the container's image means.
image_of() { docker image inspect --format '{{.Id}}' "$(docker inspect --format '{{.Config.Image}}' "$1")"; }

main "$@"
