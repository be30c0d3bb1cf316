#!/usr/bin/env bash
# Writes the database as it is at one moment, and the key that belongs to it, into one file:  backup.sh
#
# DIR is the folder (backups/), KEY the public key of age or SSH that it is encrypted to. People go on talking. A file
# that has its name is whole: it is written beside it, and renamed.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh
# shellcheck source=docker/database.sh
. docker/database.sh

umask 077
exec 3>&2
draft=

main() {
  local file
  needs
  alone
  needs_postgres
  mkdir -p -- "$DIR" || fail "The folder $DIR cannot be made: DIR=path names another."
  quietly docker compose --profile backup build backup || fail "The image for backups cannot be built."
  trap clean_up EXIT
  wake_postgres "There is no backup."
  file=$DIR/$(name)
  draft=$file.part
  say "reading the database"
  write
  mv -- "$draft" "$file"
  say_what_is_not_in_it
  echo "$file"
}

# Docker does not say whether all that the container wrote has come to the file.
write() {
  local said written
  said=$(one_off backup make --commit "$(version)" --free "$(free_in "$DIR")" ${KEY:+--key "$KEY"} \
    2>&1 >"$draft" </dev/null | also_to_people) || exit 1
  written=$(sed -n 's/.* \([0-9]*\) bytes written$/\1/p' <<<"$said")
  [[ $(wc -c <"$draft" | tr -d ' ') == "$written" ]] ||
    fail "The file is not whole: is the disk of $DIR full? There is no backup."
  sync
}

also_to_people() {
  local line
  while IFS= read -r line; do
    echo "$line" >&3
    echo "$line"
  done
}

name() { echo "$(project_name)-$(date -u +%Y%m%dT%H%M%SZ)-$(version).backup${KEY:+.age}"; }
project_name() { docker compose config | sed -n 's/^name: //p'; }
version() { git describe --always --dirty --abbrev=8 2>/dev/null || echo unknown; }

say_what_is_not_in_it() {
  [[ $(docker compose config) != *GENERATED_SECRET_KEY_FILE* ]] ||
    say "SECRET_KEY and all else in .env are not in it: keep a copy of them."
}

clean_up() {
  [[ ! $draft ]] || rm -f -- "$draft"
  let_postgres_sleep
}

main
