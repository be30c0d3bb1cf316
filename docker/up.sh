#!/usr/bin/env bash
# Builds and starts the stack, or brings a running one up to date: what has not changed goes on as it is.
#
# What could go wrong is asked before anything that runs is touched: the machine, .env, the settings, nginx's and
# Postgres' configuration. Where the application changes, its containers are replaced, with some seconds of 503;
# rollout.sh does without them.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh

main() {
  needs
  alone
  look_at_env
  docker compose config --quiet || fail "docker compose cannot read its files: see above."
  say_what_ends
  say_what_is_lost
  remember_images
  trap put_images_back EXIT
  docker compose build || fail "The images cannot be built. Nothing was changed."
  check
  trap - EXIT
  forget_what_ended
  ! has certificates || ! own_certificate || take_over install
  docker compose up --detach --wait ||
    fail "Not everything became healthy: \`docker compose logs\` shows why, \`make doctor STACK=1\` what mends it."
  reload_nginx
  say_certificate
}

# What somebody wrote into .env, and nothing would ever read.
look_at_env() {
  local name deaf=
  [[ -e .env ]] || return 0
  while read -r name; do
    if known "$name" && ! handed_on "$name"; then
      say "$name in .env reaches no container: docker-compose.yml decides it."
      deaf=yes
    fi
  done < <(sed -n -E 's/^[[:space:]]*(export[[:space:]]+)?([A-Z_a-z][A-Z_a-z0-9]*)[[:space:]]*=.*/\2/p' .env)
  ! grep -qE '^TLS_(CERT|KEY)=.' .env || has certificates ||
    fail "TLS_CERT and TLS_KEY need DOMAIN, the name that the certificate is for."
  [[ ! $deaf ]] || fail "Take it out of .env; in .env.example stands what it could be instead."
}

known() { grep -qE "^#(${1}|${1%_FILE})=" .env.example; }
handed_on() { grep -qE "^ +- $1\$|, $1]\$|[$][{]$1[^A-Z_a-z0-9]" docker-compose.yml docker/*.yml; }

# `--scale` lasts until the next `up`.
say_what_ends() {
  local here stays
  here=$(docker compose ps --quiet ws | wc -l)
  stays=$(docker compose config | awk '/^  ws:/ { here = 1 } here && $1 == "replicas:" { print $2; here = 0 }')
  ((here <= stays)) || say "of $((here)) ws containers $stays will stay: REPLICAS=$((here)) in .env keeps as many."
}

# Without one of the two volumes, that is. Postgres takes a new password by itself.
say_what_is_lost() {
  if has postgres && there_is secrets && ! there_is postgres; then
    say "the volume \`postgres\` is not there, so the stack begins with an empty database. If you have a backup," \
      "\`docker compose stop nginx web ws\` and \`make restore FILE=…\` bring it back."
  fi
  if there_is postgres && ! there_is secrets; then
    say "the volume \`secrets\` is gone, so all keys and passwords are made anew: what was said is there, but everybody" \
      "must log in again. If you have a copy of it, put it back and \`make up\` again."
  fi
}

there_is() {
  local project
  project=$(docker compose config | sed -n 's/^name: //p')
  [[ $(docker volume ls --quiet --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.volume=$1") ]]
}

main "$@"
