#!/bin/sh
# Renders the templates like the official image, with its variables, and fails like it: with a line in the log.
set -e
from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}

[ -d "$from" ] || exit 0
if [ ! -w "$to" ]; then
  echo "$0: ERROR: $from exists, but $to is not writable" >&2
  exit 0
fi

# Only names that the environment has: nginx's own variables look the same.
names=$(awk -v filter="${NGINX_ENVSUBST_FILTER:-}" 'BEGIN { for (n in ENVIRON) if (n ~ filter) printf "${%s} ", n }')

find -L "$from" -type f -name "*$suffix" | while read -r template; do
  name=${template#"$from"/}
  output=$to/${name%"$suffix"}
  mkdir -p "$(dirname "$output")"
  envsubst "$names" <"$template" >"$output"
done
