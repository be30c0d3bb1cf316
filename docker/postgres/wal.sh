#!/usr/bin/env bash
# Keeps what Postgres writes (WAL) beside whole copies of its data, so that the database of any moment can be had again:
#
#   wal.sh keep PATH NAME    a file of WAL: Postgres calls it as its archive_command
#   wal.sh base DAYS         makes a whole copy; what no moment of the last DAYS needs any longer goes
#   wal.sh reach             returns when all that has been committed so far is kept
#   wal.sh fetch NAME PATH   brings a file of WAL back: a server that replays calls it as its restore_command
#   wal.sh unpack FILE       a whole copy as a tar, to standard output
#
# ARCHIVE is the folder; with ARCHIVE_KEY, a public key of age or SSH, all is encrypted to it, and IDENTITY is the file of
# the secret one. In the folder each cluster has one of its own, since all clusters give their files the same names.
# A file is named NAME@HASH, a copy END@WAL: from when on it serves, and the first file of WAL that it needs.
set -euo pipefail
umask 077
export LC_ALL=C PGUSER=${PGUSER:-postgres} PGDATABASE=postgres

archive=${ARCHIVE:-/archive}
key=${ARCHIVE_KEY:-}
reach_seconds=120

main() {
  case ${1:-} in
    keep) keep "$2" "$3" ;;
    base) base "$2" ;;
    reach) reach ;;
    fetch) fetch "$2" "$3" ;;
    unpack) unpack "$2" ;;
    *) grep '^#   wal.sh' "$0" | cut -c5- >&2; exit 2 ;;
  esac
}

say() { echo "wal.sh: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# --- in the server's container ---

# Made by whoever asks first.
own_folder() {
  local name
  name=$(pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p')
  mkdir -p "$archive/$name/wal" "$archive/$name/base" || fail "The archive cannot be written: does user $(id -u) own it?"
  echo "$archive/$name"
}

# Asked again for a file that is there, after a crash, it says yes; never for another one of the same name, which a copy
# of this cluster would write.
keep() {
  local folder hash there
  folder=$(own_folder)
  hash=$(sha256sum <"$1" | cut -c1-16)
  there=$(compgen -G "$folder/wal/$2@*" || :)
  if [[ $there ]]; then
    [[ ${there##*/} == "$2@$hash".* ]] || fail "$2 is there already, and another one: does a second server archive here?"
    return
  fi
  write "$folder/wal/$2@$hash.gz" <"$1"
}

# Whole and on the disk under its name, or not there. No pattern finds a name that begins with a dot.
write() {
  local draft
  draft=$(dirname "$1")/.draft
  packed >"$draft" || { rm -f -- "$draft"; fail "$(basename "$1") cannot be written to the archive."; }
  sync -- "$draft"
  mv -- "$draft" "$1${key:+.age}"
  sync -- "$(dirname "$1")"
}

packed() {
  if [[ $key ]]; then
    gzip -1 | age --encrypt -r "$key"
  else
    gzip -1
  fi
}

# pg_basebackup without WAL returns when all that the copy needs is kept.
base() {
  local folder first ended
  folder=$(own_folder)
  rm -f -- "$folder"/base/{.draft,draft*}
  first=$(ask "SELECT pg_walfile_name(pg_current_wal_lsn())")
  pg_basebackup --pgdata=- --format=tar --wal-method=none --checkpoint=fast --no-password | write "$folder/base/draft"
  ended=$(moment now)
  mv -- "$folder"/base/draft* "$folder/base/$ended@$first.gz${key:+.age}"
  prune "$folder" "$(moment "$1 days ago")"
  tell "$folder"
}
moment() { date -u -d "$1" +%Y%m%dT%H%M%S.%6NZ; }

# The newest copy that is older than the oldest moment that is wanted stays, and all behind it.
prune() {
  local file name first stays=""
  for file in "$1"/base/*@*; do
    name=${file##*/}
    [[ $stays && ${name%@*} > $2 ]] || stays=$file
  done
  for file in "$1"/base/*@*; do
    [[ ! $file < $stays ]] || rm -f -- "$file"
  done
  first=${stays#*@}
  for file in "$1"/wal/*@*; do
    name=${file##*/}
    [[ $name != *.history@* ]] || continue # which timeline began where: some bytes
    [[ ! ${name:8:16} < ${first:8:16} ]] || rm -f -- "$file" # without the timeline
  done
}

tell() {
  local copies=("$1"/base/*@*) oldest other
  oldest=${copies[0]##*/}
  say "a copy is made. There is a way back to any moment since" \
    "${oldest:0:4}-${oldest:4:2}-${oldest:6:2} ${oldest:9:2}:${oldest:11:2}:${oldest:13:2} UTC:" \
    "$(size_of "$1/base") for ${#copies[@]} copies, $(size_of "$1/wal") for what was written since"
  for other in "$archive"/*/base; do
    [[ $other == "$1/base" ]] || say "$(size_of "${other%/base}") are of an earlier cluster: ${other%/base}"
  done
}
size_of() { du -sh -- "$1" | cut -f1; }

# A commit behind all others, so that a replay up to any moment before it finds where to stop.
reach() {
  local folder file deadline
  folder=$(own_folder)
  ask "SELECT pg_current_xact_id()" >/dev/null
  file=$(ask "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
  ask "SELECT pg_switch_wal()" >/dev/null
  deadline=$((SECONDS + reach_seconds))
  until compgen -G "$folder/wal/$file@*" >/dev/null; do
    ((SECONDS < deadline)) || fail "Postgres does not archive what it writes: \`docker compose logs postgres\` shows why."
    sleep 0.1
  done
}

ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --command "$1"; }

# --- in the container that goes back ---

# A file that is not there is how a replay finds its end; what cannot be read may not be taken for that, and more than
# 125 stops it.
fetch() {
  local file
  file=$(compgen -G "$archive/wal/$1@*" || :)
  [[ $file ]] || exit 1
  unpack "$file" >"$2" || exit 200
}

unpack() {
  case $1 in
    *.age) age --decrypt -i "$IDENTITY" <"$1" | gzip -dc ;;
    *) gzip -dc <"$1" ;;
  esac
}

main "$@"
