#!/bin/sh
# Checks the configuration in this image and lays it where nginx reads it:  publish.sh [check]
#
# `current` in the volume names the folder of the one that has passed last; with `check` it stays as it is. A running
# nginx takes it over at its next reload, and one that starts again starts with nothing that was never checked.
set -eu

from=/etc/nginx/edge
to=/edge

if [ "${DOMAIN:-}" ]; then
  echo "DOMAIN needs docker/tls.yml: COMPOSE_FILE=docker-compose.yml:docker/tls.yml in .env adds it, and so does \`make up\`." >&2
  exit 2
fi

# A container without a network has no gateway.
TRUSTED_PROXIES=$(echo "${TRUSTED_PROXIES:-}" | sed 's/gateway/127.0.0.1/g') sh "$from/trust.sh" >/run/nginx/proxies.conf
nginx -t -q -p /run/nginx -c "$from/nginx.conf" -e stderr
[ "${1:-}" != check ] || exit 0

version=$(cd "$from" && sha256sum -- * | sha256sum | cut -c1-16)
rm -rf "$to/draft" "$to/link"
if [ ! -d "$to/$version" ]; then
  cp -R "$from" "$to/draft"
  mv "$to/draft" "$to/$version"
fi
ln -s "$version" "$to/link"
mv -T "$to/link" "$to/current"
find "$to" -mindepth 1 -maxdepth 1 -type d ! -name "$version" -exec rm -r {} +
