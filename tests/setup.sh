#!/usr/bin/env bash
# The servers and the browser that the tests start themselves, from Debian's packages where they are missing.
#
#   setup.sh program…    python-venv postgres redis nginx pgbouncer prometheus nchan wrk chromium chinese-font docker-registry
#                       pebble certutil caddy podman
#
# Elsewhere than on Debian, or without root, it ends with one sentence about what is missing and exit status 3.
set -euo pipefail

lock_seconds=300

main() {
  local program missing=()
  for program in "$@"; do
    # shellcheck disable=SC2207  # one program may come from several packages
    is_there "$program" || missing+=($(packages "$program"))
  done
  ((${#missing[@]} == 0)) || install "${missing[@]}"
}

packages() {
  case $1 in
    python-venv) echo python3 python3-venv ;;
    postgres) echo postgresql ;;
    redis) echo redis-server ;;
    nchan) echo libnginx-mod-nchan ;;
    certutil) echo libnss3-tools ;;
    podman) echo podman crun netavark aardvark-dns catatonit ;;
    chinese-font) echo fontconfig fonts-wqy-zenhei ;;
    *) echo "$1" ;;
  esac
}

is_there() {
  case $1 in
    python-venv) [[ -e .run/venv/bin/python ]] || python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    postgres) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;; # a psql alone, or a stray initdb, is no server
    nchan) [[ -e /usr/lib/nginx/modules/ngx_nchan_module.so ]] ;;
    redis) on_path redis-server ;;
    chinese-font) on_path fc-list && fc-list :lang=zh-cn | grep -q . ;;
    *) on_path "$1" ;;
  esac
}

on_path() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null; }

install() {
  if ! grep -qx 'ID=debian' /etc/os-release 2>/dev/null || [[ $EUID != 0 ]]; then
    echo "missing, and only root on Debian can install it here: $*" >&2
    exit 3
  fi
  echo "Installing $*"
  forbid_servers_to_start
  export DEBIAN_FRONTEND=noninteractive
  quietly update_lists
  quietly apt-get -o DPkg::Lock::Timeout=$lock_seconds install --yes --no-install-recommends "$@"
}

# apt starts the servers that it installs unless this hook says no. One that is there already stays as it is.
forbid_servers_to_start() {
  local hook=/usr/sbin/policy-rc.d
  [[ ! -e $hook ]] || return 0
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$hook"
  chmod +x "$hook"
}

# apt waits for dpkg's lock by itself, but not for the one on its package lists.
update_lists() {
  local deadline=$((SECONDS + lock_seconds))
  until apt-get update 2>&1 | tee /dev/stderr | { ! grep -q 'Could not get lock'; }; do
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

# Shows what a command said only if it failed.
quietly() {
  local said
  said=$("$@" </dev/null 2>&1) || { tail -n 20 <<<"$said" >&2; exit 1; }
}

main "$@"
