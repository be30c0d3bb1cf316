#!/usr/bin/env bash
# Prints what a changelog says of a version, for its release:  notes.sh v1.2.0 <docs/CHANGELOG.md
#
# The version's section begins with `## [1.2.0] - 2026-12-01` or `## 1.2.0 - 2026-12-01`, as keepachangelog.com has it. One
# that is missing, empty or without a day is a mistake of who set the tag: exit status 1.
set -euo pipefail

version=${1#v}

main() {
  local notes
  notes=$(section)
  [[ $notes =~ [^[:space:]] ]] || fail "has no section \`## [$version] - $(date -u +%F)\`, or nothing in it"
  echo "$notes"
}

# References of links stand behind the last section, and are none of it.
section() {
  awk -v version="$version" '
    /^## / { name = $2; gsub(/[][]/, "", name); here = name == version && $4 ~ /^[0-9]+-[0-9]+-[0-9]+$/; next }
    /^\[[^]]*\]: / { next }
    here
  ' | sed '/./,$!d'
}

fail() {
  echo "notes.sh: the changelog $*" >&2
  exit 1
}

main
