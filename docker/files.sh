#!/usr/bin/env bash
# COMPOSE_FILE as it must be where DOMAIN is set and docker/tls.yml is not yet in it; nothing where it is good as it is.
set -euo pipefail

main() {
  local files
  files=$(value COMPOSE_FILE)
  [[ $(value DOMAIN) && :$files: != *:docker/tls.yml:* ]] || return 0
  echo "${files:-docker-compose.yml}:docker/tls.yml"
}

# The environment's, else that of .env.
value() {
  local name=$1
  if [[ ${!name:-} ]]; then
    echo "${!name}"
  elif [[ -e .env ]]; then
    sed -n -E "s/^ *(export +)?${name} *= *['\"]?([^'\"# ]+).*/\2/p" .env | tail -n 1
  fi
}

main
