#!/usr/bin/env bash
# docs/asyncapi.json, or the document that is given, as the official parser sees it.
#
# The parser is installed from npm into .run/, by the lock beside this file.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

PATH=$PWD/.run/venv/bin:$PATH
document=$(realpath "${1:-docs/asyncapi.json}")
work=.run/asyncapi

install() {
  cp tests/asyncapi/package.json tests/asyncapi/package-lock.json "$work/"
  npm ci --prefix "$work" --no-audit --no-fund --ignore-scripts --silent || { rm "$work/package-lock.json" && exit 1; }
}

mkdir -p "$work"
cmp -s tests/asyncapi/package-lock.json "$work/package-lock.json" || install
cp tests/asyncapi/judge.mjs "$work/"
node "$work/judge.mjs" "$document"
