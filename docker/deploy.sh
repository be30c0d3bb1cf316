#!/usr/bin/env bash
# Brings a new version to an app on Heroku:  deploy.sh APP
#
# Builds, pushes, runs the release phase (migrations) and, when that has succeeded, the new version; then asks the
# deployed app whether it works. What is missing is said in one sentence with the command that mends it.
#
# HEROKU_HOST is the heroku CLI's: another Heroku than heroku.com.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."

app=${1:-}
registry=registry.${HEROKU_HOST:-heroku.com}
release_command='["python", "manage.py", "migrate", "--noinput"]' # as in heroku.yml
config=(SECRET_KEY PROXY_HOPS DATABASE_SSLMODE)
addons=(heroku-postgresql:essential-0 heroku-redis:mini)
manifest_type=application/vnd.docker.distribution.manifest.v2+json # the only one that Heroku takes
phase_seconds=3600 # Heroku ends a release phase after an hour
running_seconds=120
lacking=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

main() {
  check_tools
  check_app
  local before newest
  before=$(release_that_serves)
  newest=$(newest_release)
  say "building and pushing"
  push web app
  printf 'FROM %s\nCMD %s\n' "$(image web)" "$release_command" >"$scratch/Dockerfile"
  push release "$scratch"
  say "releasing"
  release "$newest" ||
    fail "The release failed and v$before goes on: \`heroku releases:output --app $app\` shows why."
  if [[ $(newest_release) == "$newest" ]]; then
    say "nothing to release: v$newest is this very version"
    return
  fi
  newest=$(newest_release)
  check_deployed "$before" "$newest"
  say "v$newest runs on $web_url"
}

say() { echo "deploy: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# All of what the app lacks is said before anything is done.
lacks() {
  say "$*"
  lacking=yes
}

# --- what it needs ---

check_tools() {
  [[ $app ]] || fail "Which app? \`make deploy APP=name\`"
  local tool
  for tool in curl python3; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install it with your system's package manager."
  done
  docker info >/dev/null 2>&1 || fail "No Docker engine answers: https://docs.docker.com/engine/install/ or start it."
  docker buildx version >/dev/null 2>&1 || fail "Docker's buildx is missing: \`apt-get install docker-buildx-plugin\`"
  command -v heroku >/dev/null || fail "The heroku CLI is missing: \`npm install --global heroku\`"
  heroku auth:whoami </dev/null >/dev/null 2>&1 || fail "Nobody is logged in to Heroku: \`heroku login\`"
}

check_app() {
  local about
  for about in apps:info config labs releases; do ask "$about" & done
  wait
  was_told apps:info || fail "There is no app $app that you may deploy: \`heroku create $app --manifest\`"
  for about in config labs releases; do
    was_told "$about" || fail "Heroku does not answer: \`heroku $about --app $app\` shows why."
  done
  web_url=$(look_up apps:info 'data["app"]["web_url"]')
  [[ $(look_up apps:info 'data["app"]["stack"]["name"]') == container ]] ||
    lacks "The stack of $app is not container: \`heroku stack:set container --app $app\`"
  local name plan
  for plan in "${addons[@]}"; do
    [[ " $(look_up apps:info '" ".join(each["addon_service"]["name"] for each in data["addons"])') " == *" ${plan%:*} "* ]] ||
      lacks "$app has no ${plan%:*}: \`heroku addons:create $plan --app $app\`"
  done
  for name in DATABASE_URL REDIS_URL; do
    is_set "$name" || lacks "$name is not set: where its add-on is still being made, \`heroku addons:wait --app $app\` waits."
  done
  for name in "${config[@]}"; do
    is_set "$name" || lacks "$name is not set: \`heroku config:set $(value_for "$name") --app $app\`"
  done
  is_set ALLOWED_HOSTS || metadata_is_on ||
    lacks "$app does not know its name: \`heroku labs:enable runtime-dyno-metadata --app $app\`"
  [[ ! $lacking ]] || exit 1
}

# What `heroku COMMAND --json` says, kept in a file: it holds secrets, which command lines would show.
ask() {
  rm -f "$scratch/$1.told"
  heroku "$1" --json --app "$app" </dev/null >"$scratch/$1.json" 2>/dev/null && touch "$scratch/$1.told"
}
was_told() { [[ -e $scratch/$1.told ]]; }
look_up() { python3 -c "import json, sys; data = json.load(open(sys.argv[1])); print($2)" "$scratch/$1.json"; }
is_set() { [[ $(look_up config "bool(data.get('$1'))") == True ]]; }

metadata_is_on() {
  [[ $(look_up labs 'any(each["name"] == "runtime-dyno-metadata" and each["enabled"] for each in data["app"])') == True ]]
}

# shellcheck disable=SC2016  # to be run by who reads it
value_for() {
  case $1 in
    SECRET_KEY) echo 'SECRET_KEY="$(openssl rand -hex 32)"' ;;
    PROXY_HOPS) echo PROXY_HOPS=1 ;;
    DATABASE_SSLMODE) echo DATABASE_SSLMODE=require ;;
  esac
}

# --- what it does ---

image() { echo "$registry/$app/$1:latest"; }

# An OCI index, which Docker pushes by default, is answered by Heroku with an error that says nothing.
push() {
  local said type
  said=$(docker buildx build --platform linux/amd64 --provenance=false --sbom=false \
    --output "type=image,name=$(image "$1"),push=true,oci-mediatypes=false" "$2" 2>&1 </dev/null) ||
    push_failed "$1" "$said"
  docker buildx imagetools inspect --raw "$(image "$1")" >"$scratch/manifest.json" ||
    fail "The pushed image cannot be read back from $registry."
  type=$(look_up manifest 'data.get("mediaType")')
  [[ $type == "$manifest_type" ]] ||
    fail "The engine pushed $type, which Heroku does not take: \`docker buildx use default\` and try again."
}

push_failed() {
  tail -n 30 <<<"$2" >&2
  case $2 in
    *"no space left"*) fail "This machine has no space left: \`docker system prune\`" ;;
    *"unexpected HTTP status: 5"*)
      fail "The registry fails to store the image: it is full or out of order. Nothing was released; try again later." ;;
    *unauthorized* | *"no basic auth"*) fail "The registry does not know you: \`heroku container:login\`" ;;
    *) fail "The image for $1 cannot be built or pushed. Nothing was released." ;;
  esac
}

# The CLI stops listening to a release phase that says nothing for a minute, but the phase goes on.
release() {
  local status=0 deadline
  heroku container:release web release --app "$app" </dev/null >&2 || status=$?
  deadline=$((SECONDS + phase_seconds))
  while ask releases && is_pending && ((SECONDS < deadline)); do
    say "the release phase goes on"
    heroku releases:output --app "$app" </dev/null >&2 || :
    sleep 1
  done
  was_told releases || fail "Heroku does not answer: \`heroku releases --app $app\` shows what became of it."
  if [[ $(newest_release) == "$1" ]]; then
    return "$status"
  fi
  [[ $(release_that_serves) == "$(newest_release)" ]]
}

newest_release() { look_up releases 'max([each["version"] for each in data], default=0)'; }
is_pending() { [[ $(look_up releases 'any(each["status"] == "pending" for each in data)') == True ]]; }
release_that_serves() {
  look_up releases 'max([each["version"] for each in data if each["status"] == "succeeded"], default=0)'
}

# --- whether it works ---

check_deployed() {
  local before=$1 after=$2
  say "waiting for v$after to run"
  within "$running_seconds" runs "$after" || broken "$before" "v$after does not run: \`heroku ps --app $app\`"
  within 30 is_ready || broken "$before" "${web_url}health/ready does not say that it is ready."
  within 30 answers_sockets || broken "$before" "${web_url}ws/health/ does not answer a WebSocket."
}

broken() { fail "$2 \`heroku logs --app $app\` shows why, \`heroku rollback v$1 --app $app\` brings back v$1."; }

within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 1
  done
}

runs() {
  ask ps && [[ $(look_up ps \
    "{(each['state'], each['release']['version']) for each in data if each['type'] == 'web'} == {('up', $1)}") == True ]]
}

is_ready() { [[ $(curl -sS --max-time 20 -o "$scratch/ready" -w '%{http_code}' "${web_url}health/ready") == 200 ]]; }

# A handshake, and the server's close with 1000 through the open socket. curl waits for more, and is not answered.
answers_sockets() {
  curl -sS --http1.1 --max-time 5 -D "$scratch/head" -o "$scratch/body" "${web_url}ws/health/" \
    -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
    -H "Sec-WebSocket-Key: $(head -c 16 /dev/urandom | base64)" 2>/dev/null || :
  grep -q '^HTTP/1.1 101 ' "$scratch/head" && [[ $(head -c 4 "$scratch/body" | od -An -tx1) == " 88 02 03 e8" ]]
}

main
