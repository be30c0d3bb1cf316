#!/usr/bin/env bash
# What a compose file may expect of the official image's entrypoint.
set -euo pipefail

main() {
  if [[ ${1:-} == -* || ${1:-} == *.conf ]]; then
    set -- redis-server "$@"
  fi
  if [[ $1 == redis-server && ! ${2:-} =~ ^(-h|--help|-v|--version)$ ]]; then
    drop_root "$@"
    umask 0077
    open_to_network "${@:2}"
  fi
  exec "$@"
}

drop_root() {
  if [[ $EUID == 0 ]]; then
    find . ! -user redis -exec chown redis:redis {} +
    exec setpriv --reuid redis --regid redis --clear-groups "$0" "$@"
  fi
}

# The official image is compiled with protected mode off: without a password others can connect. Options that come
# later win, so what the command line or its configuration file says about it holds.
open_to_network() {
  local file=()
  if [[ -n ${1:-} && $1 != -* ]]; then
    file=("$1")
    shift
  fi
  if ((${#file[@]})) && grep -q '^ *protected-mode' "${file[0]}"; then
    exec redis-server "${file[@]}" "$@"
  fi
  exec redis-server "${file[@]}" --protected-mode no "$@"
}

main "$@"
