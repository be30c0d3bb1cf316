#!/bin/sh
# Writes the proxies that TRUSTED_PROXIES names as nginx reads them: addresses, networks such as 10.0.0.0/8, and
# `gateway` for a proxy on the host that the container runs on. Docker gives the gateway another address at each `up`.
set -eu

main() {
  names=$(echo "${TRUSTED_PROXIES:-}" | tr ',' ' ')
  proxies=
  for name in $names; do
    [ "$name" != gateway ] || name=$(gateway)
    case $name in
      '') refuse "gateway: this container has no way out, so there is none." ;;
      *[!0-9a-fA-F.:/]*) refuse "'$name' is no address, no network such as 10.0.0.0/8, and not the word gateway." ;;
    esac
    proxies="$proxies $name"
  done
  # shellcheck disable=SC2016  # nginx expands them
  echo 'geo $realip_remote_addr $from_proxy {'
  echo 'default 0;'
  for proxy in $proxies; do echo "$proxy 1;"; done
  echo '}'
  for proxy in $proxies; do echo "set_real_ip_from $proxy;"; done
}

# Of the default route, which the kernel lists as a hexadecimal number with its last byte first.
gateway() {
  # shellcheck disable=SC2046  # four words, or none
  set -- $(awk '$2 == "00000000" { print $3; exit }' /proc/net/route | sed 's/\(..\)\(..\)\(..\)\(..\)/0x\4 0x\3 0x\2 0x\1/')
  [ $# = 0 ] || printf '%d.%d.%d.%d' "$@"
}

refuse() {
  echo "TRUSTED_PROXIES: $1" >&2
  exit 2
}

main
