#!/usr/bin/env bash
# A name for compose's project, where the folder's own cannot be one; nothing where it can, or where one is set.
#
# Compose drops all but a-z, 0-9, _ and - from the folder's name. Of 聊天室 nothing is left, and what is left of
# rooms_ may not begin an image's name.
set -euo pipefail
export LC_ALL=C

main() {
  [[ -z ${COMPOSE_PROJECT_NAME:-} ]] && ! grep -qs '^COMPOSE_PROJECT_NAME=.' .env || return 0
  local folder=${PWD##*/} name
  name=$(tr '[:upper:]' '[:lower:]' <<<"$folder" | tr -cd 'a-z0-9_-' | sed 's/^[_-]*//')
  ! is_good "$name" || return 0
  name=$(sed 's/[_-][_-]*/-/g; s/-$//' <<<"$name")
  echo "${name:-rooms}-$(cksum <<<"$folder" | cut -d ' ' -f 1)"
}

is_good() { grep -Eqx '[a-z0-9]+((_|__|-+)[a-z0-9]+)*' <<<"$1"; }

main
