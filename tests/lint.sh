#!/usr/bin/env bash
# Everything that can be found wrong without running it: each check says one line, and its findings where it fails.
# Where nginx, Postgres or Docker is missing, their checks say so; with CI=true that is a failure.
# shellcheck disable=SC2329  # `check` calls the functions by name
set -uo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# Debian keeps Postgres' programs outside of PATH.
PATH=$PWD/.run/venv/bin:$PATH:/usr/sbin$(printf ':%s' /usr/lib/postgresql/*/bin)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

main() {
  check "ruff format" ruff format --check .
  check "ruff" ruff check --quiet .
  check "mypy" in_app production mypy --config-file ../.mypy.ini realtime topics rooms accounts files phone
  check "mypy deploy" deploy mypy --config-file= --strict --warn-unreachable --package deploy --package swarm
  check "tsc" tests/typescript/run.sh check
  check "asyncapi" tests/asyncapi/run.sh
  check "shellcheck" scripts shellcheck --external-sources
  check "hadolint" dockerfiles hadolint
  check "zizmor" zizmor --quiet --offline .github
  check "django deploy" in_app production python -W error manage.py check --deploy --fail-level WARNING
  check "django migrations" in_app production python -W error manage.py makemigrations --check --dry-run
  [[ ${CI:-} != true ]] || provide
  check_with "postgres" "migrations and the version before" python tests/judge.py rooms topics accounts phone
  check_with "nginx" "nginx -t" nginx_test
  check_with "docker compose" "compose config" docker compose config --quiet
  check_with "docker compose" "compose config with numbers" \
    docker compose -f docker-compose.yml -f docker/metrics.yml config --quiet
  check_with "docker compose" "compose config with an archive" \
    docker compose -f docker-compose.yml -f docker/archive.yml --profile backup config --quiet
  check_with "docker compose" "compose config with published images" \
    env IMAGES=registry.example.org/owner/rooms RELEASE=1.2.0 \
    docker compose -f docker-compose.yml -f docker/published.yml config --quiet
  check_with "docker compose" "compose config on a platform" \
    env ALLOWED_HOSTS=rooms.example.org PROXY_NETWORK=coolify \
    docker compose -f docker-compose.yml -f docker/platform.yml config --quiet
  check_with "docker compose" "compose config with TLS" \
    env DOMAIN=rooms.example.org docker compose -f docker-compose.yml -f docker/tls.yml config --quiet
  exit "$failed"
}

check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1 </dev/null); then
    echo "ok      $name"
  else
    printf 'FAILED  %s\n%s\n' "$name" "$said"
    failed=1
  fi
}

check_with() {
  local program=$1
  shift
  # shellcheck disable=SC2086  # two words: docker and its plugin
  if $program version &>/dev/null || $program -v &>/dev/null || $program --version &>/dev/null; then
    check "$@"
  else
    echo "cannot  $1: $program is missing"
    [[ ${CI:-} != true ]] || failed=1
  fi
}

provide() {
  tests/setup.sh nginx postgres
  docker compose version &>/dev/null || { tests/stack/engine.sh up && tests/stack/engine.sh down; }
}

in_app() { (cd app && "$@"); }

deploy() { (cd docker && "$@"); }

scripts() { find . -path ./.run -prune -o \( -name '*.sh' -o -path './.ci/run' -o -path './docker/kamal/hooks/*' \) -exec "$@" {} +; }
dockerfiles() { find . -path ./.run -prune -o -name Dockerfile -exec "$@" {} +; }

# What a deployment sets, and nothing of the caller's.
production() {
  env -i PATH="$PATH" HOME="$HOME" LANG=C.UTF-8 \
    SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ \
    DATABASE_URL=sqlite://:memory: REDIS_URL=redis://:secret@redis:6379/0 ALLOWED_HOSTS=rooms.example.org \
    PROXY_HOPS=1 EMAIL_URL=smtp+tls://rooms:secret@smtp.example.org DEFAULT_FROM_EMAIL=rooms@example.org "$@"
}

# With files such as a host writes them: names of containers mean nothing here, nor `resolve` and `http2` to nginx 1.22.
# The containers' own are read by nginx 1.30 before each start (docker/nginx/publish.sh).
nginx_test() {
  cp nginx/*.conf "$scratch"
  printf 'upstream %s { server 127.0.0.1:%s; }\n' web 8001 ws 8002 >"$scratch/upstreams.conf"
  echo 'listen 8080;' >"$scratch/listen.conf"
  : >"$scratch/tls.conf"
  sh nginx/trust.sh >"$scratch/proxies.conf"
  nginx -t -q -p "$scratch" -c "$scratch/nginx.conf"
}

main
