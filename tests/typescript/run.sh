#!/usr/bin/env bash
# The browser module as TypeScript sees it, in its strictest words.
#
#   run.sh check    finds faults, and a client.d.ts that is not what the code says
#   run.sh write    writes client.d.ts anew
#
# TypeScript is installed from npm into .run/, by the lock beside this file.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

PATH=$PWD/.run/venv/bin:$PATH
module=app/topics/static/topics
work=.run/typescript

main() {
  mkdir -p "$work"
  cmp -s tests/typescript/package-lock.json "$work/package-lock.json" || install
  # Where client.d.ts lies beside the code, imports would be judged by the one instead of the other.
  rm -rf "$work/module" "$work/declared"
  mkdir "$work/module"
  cp "$module"/*.js "$module/types.d.ts" "$module/package.json" "$work/module/"
  cp tests/typescript/tsconfig.json "$work/"
  "$work/node_modules/.bin/tsc" --project "$work" --outDir "$work/declared"
  case $1 in
    check) diff "$module/client.d.ts" "$work/declared/client.d.ts" || outdated ;;
    write) cp "$work/declared/client.d.ts" "$module/" ;;
  esac
}

install() {
  cp tests/typescript/package.json tests/typescript/package-lock.json "$work/"
  npm ci --prefix "$work" --no-audit --no-fund --silent || { rm "$work/package-lock.json" && exit 1; }
}

outdated() {
  echo "client.d.ts is not what the code says: tests/typescript/run.sh write" >&2
  exit 1
}

main "$@"
