#!/usr/bin/env bash
# Writes the database as it is at one moment, and the key that belongs to it, into one file:  backup.sh
#
# DIR is the folder (backups/), KEY the public key of age or SSH that it is encrypted to. People go on talking. A file
# that has its name is whole: it is written beside it, and renamed. With UNTIL it is the database of a past moment, by
# docker/archive.yml; IDENTITY is the secret key that the archive is encrypted to.
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
  [[ ! ${UNTIL:-} ]] || needs_archive
  [[ ! ${IDENTITY:-} || -r $IDENTITY ]] || fail "There is no file $IDENTITY that can be read. There is no backup."
  mkdir -p -- "$DIR" || fail "The folder $DIR cannot be made: DIR=path names another."
  quietly docker compose --profile backup build backup || fail "The image for backups cannot be built."
  trap clean_up EXIT
  wake_postgres "There is no backup."
  file=$DIR/$(name)
  draft=$file.part
  [[ ! ${UNTIL:-} ]] || reach
  say "reading the database"
  write
  mv -- "$draft" "$file"
  say_what_is_not_in_it
  echo "$file"
}

# Docker does not say whether all that the container wrote has come to the file.
write() {
  local said written
  said=$(identity | one_off backup make --commit "$(version)" --free "$(free_in "$DIR")" ${KEY:+--key "$KEY"} \
    ${UNTIL:+--until "$UNTIL"} 2>&1 >"$draft" | also_to_people) || exit 1
  written=$(sed -n 's/.* \([0-9]*\) bytes written$/\1/p' <<<"$said")
  [[ $(wc -c <"$draft" | tr -d ' ') == "$written" ]] ||
    fail "The file is not whole: is the disk of $DIR full? There is no backup."
  sync
}

# Nowhere could others see it.
identity() {
  [[ ! ${IDENTITY:-} ]] || base64 <"$IDENTITY" | tr -d '\n'
  echo
}

also_to_people() {
  local line
  while IFS= read -r line; do
    echo "$line" >&3
    echo "$line"
  done
}

# An archive that has come here without its Postgres ends where it ends.
reach() {
  say "waiting until all that was said so far is in the archive"
  quietly compose exec -T postgres wal.sh reach || fail "The archive does not go on. There is no backup."
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
