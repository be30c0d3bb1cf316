#!/usr/bin/env bash
# Replaces the web and ws containers by new ones while people talk.
#
# Builds, migrates once, starts the new containers beside the old ones, and when all of them are healthy asks the old
# ones to leave: they say goodbye to their sockets, and whoever was on them comes back to the new ones. nginx follows by
# itself. A new version that cannot be built, migrated or started leaves the old one running: exit status 1.
#
# The old version works on the migrated database for a while, so a migration must leave it what it needs.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

services=(web ws)
healthy_seconds=120
old=()   # containers
scale=() # twice as many

main() {
  alone
  remember_old
  trap leave_as_it_was EXIT
  say "building"
  quietly docker compose build ws || fail "The new version cannot be built."
  say "migrating"
  quietly docker compose run --rm --no-deps migrate || fail "The migration failed."
  say "starting the new containers"
  quietly docker compose up --detach --no-deps --no-recreate "${scale[@]}" "${services[@]}" ||
    fail "The new containers cannot be started."
  all_healthy
  trap - EXIT

  say "asking the old containers to leave"
  docker stop "${old[@]}" >/dev/null # each has its stop_grace_period
  docker rm "${old[@]}" >/dev/null
  say "done"
}

say() { echo "rollout: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Two at once would take each other's new containers for old ones.
alone() {
  exec 9<docker/rollout.sh
  flock --nonblock 9 || fail "Another rollout is under way."
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
  image=$(docker inspect --format '{{.Config.Image}}' "${old[0]}")
  old_image=$(docker inspect --format '{{.Image}}' "${old[0]}")
}

# Shows what a command said only if it failed.
quietly() {
  local said
  said=$("$@" 2>&1 </dev/null) && return
  tail -n 30 <<<"$said" >&2
  return 1
}

new() {
  local id
  docker compose ps --all --quiet "${services[@]}" | while read -r id; do
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

# The image's name goes back as well: the next `docker compose up` must not start what has failed.
leave_as_it_was() {
  local id
  for id in $(new); do
    docker rm --force "$id" >/dev/null
  done
  docker tag "$old_image" "$image"
  say "The old version goes on."
}

main "$@"
