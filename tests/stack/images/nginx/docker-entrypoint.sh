#!/bin/sh
# What a compose file may expect of the official image's entrypoint: scripts first, then the command.
set -e
case $1 in
  nginx | nginx-debug)
    for script in /docker-entrypoint.d/*; do
      # shellcheck disable=SC1090
      case $script in
        *.envsh) [ ! -x "$script" ] || . "$script" ;;
        *.sh) [ ! -x "$script" ] || "$script" ;;
      esac
    done
    ;;
esac
exec "$@"
