# shellcheck shell=bash
# What up.sh, rollout.sh, certificate.sh, backup.sh, archive.sh and restore.sh share. Sourced by them, in the folder of
# docker-compose.yml.
#
# bash 3.2, which macOS has, reads all of it.

least_engine=25 # health checks with a start_interval
least_compose=2.26

say() { echo "$(basename "$0" .sh): $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Shows what a command said only if it failed.
quietly() {
  local said
  said=$("$@" 2>&1 </dev/null) && return
  tail -n 30 <<<"$said" >&2
  return 1
}

# Two at once would take each other's new containers for old ones.
alone() {
  command -v flock >/dev/null || return 0
  exec 9<docker/common.sh
  flock --nonblock 9 || fail "Another \`make up\`, \`rollout\`, \`backup\`, \`archive\` or \`restore\` is under way."
}

# --- what it needs ---

needs() {
  local engine compose
  command -v docker >/dev/null || fail "Docker is missing: https://docs.docker.com/engine/install/; \`make run\` does without."
  compose=$(docker compose version --short 2>/dev/null) ||
    fail "Docker's compose plugin is missing: \`apt-get install docker-compose-plugin\`, or as your system calls it."
  at_least "$least_compose" "$compose" ||
    fail "Docker Compose $least_compose or newer is needed, and this is $compose: update docker-compose-plugin."
  docker buildx version >/dev/null 2>&1 ||
    fail "Docker's buildx plugin is missing: \`apt-get install docker-buildx-plugin\`, or as your system calls it."
  engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) ||
    fail "No Docker engine answers: start it; \`docker info\` says more."
  at_least "$least_engine" "$engine" ||
    fail "Docker Engine $least_engine or newer is needed, and this is $engine: https://docs.docker.com/engine/install/"
}

# Versions look like 26, 26.1.5+dfsg1 or v2.26.1-4.
at_least() {
  local least found
  least=$(as_number "$1")
  found=$(as_number "$2")
  ((found >= least))
}
as_number() { sed 's/^v//; s/[^0-9.].*//' <<<"$1" | awk -F. '{ print $1 * 1000 + $2 }'; }

# Nothing here may stop reading before compose has said everything: `pipefail` takes its broken pipe for a failure.
has() { [[ " $(docker compose config --services | tr '\n' ' ')" == *" $1 "* ]]; }

# --- whether the new version can work, asked in containers of their own: nothing that runs is touched ---

check() {
  build_secrets
  once edge check || fail "nginx refuses its new configuration, in nginx/. Nothing was changed."
  ! has postgres || once --entrypoint postgres postgres -c config_file=/etc/postgresql/postgresql.conf -C port ||
    fail "Postgres refuses docker/postgres/postgresql.conf. Nothing was changed."
  ! has postgres || once --entrypoint start.sh postgres check ||
    fail "Postgres cannot read its data. Nothing was changed."
  once migrate python manage.py check || fail "The application refuses its settings. Nothing was changed."
  ! has certificates || check_certificate
}

# The application reads them. They are made once, and stay.
build_secrets() { once secrets || fail "The keys and passwords cannot be made. Nothing was changed."; }

# compose 2.26 replaces whoever depends on a container that it replaces, although that one ended long ago.
forget_what_ended() { quietly docker compose rm --force edge migrate secrets; }

once() { quietly docker compose --progress quiet run --rm --no-deps -T "$@"; }

# --- the certificate, where docker/tls.yml is among the files ---

certificates=(python -u /usr/local/lib/certificates/certificates.py)

# Whether it is a file of one's own. Both paths are for this machine: what is in them goes in by a pipe, so that only
# whoever runs this must be able to read them, and a file that somebody replaces is never an old one in a container.
own_certificate() {
  cert=$(given TLS_CERT)
  key=$(given TLS_KEY)
  [[ $cert || $key ]] || return 1
  [[ $cert && $key ]] || fail "TLS_CERT and TLS_KEY need each other. Nothing was changed."
}

check_certificate() {
  once certificates names || fail "There is no certificate for that. Nothing was changed."
  ! own_certificate || take_over check
}

given() { docker compose config | sed -n "s/^      $1: //p" | sed "s/^[\"']//; s/[\"']$//"; }

take_over() {
  local said file
  for file in "$cert" "$key"; do
    [[ -r $file ]] ||
      fail "TLS_CERT or TLS_KEY names $file: it is not there, or not for you to read. Nothing was changed."
  done
  said=$(cat -- "$cert" "$key" | docker compose --progress quiet run --rm --no-deps -T certificates "$1" 2>&1) ||
    fail "$said Nothing was changed."
}

say_certificate() {
  local said
  has certificates || return 0
  said=$(docker compose exec -T certificates "${certificates[@]}" news </dev/null) ||
    fail "It does not become known what there is for a certificate: \`docker compose logs certificates\` shows why."
  say "$said"
}

# --- the images' names, which must not lead the next `docker compose up` to what was refused ---

images= # names and what they meant before the build, a line each

remember_images() {
  local ids
  # migrate has the image of web and ws, but perhaps an older one.
  # shellcheck disable=SC2046  # words
  ids=$(docker compose ps --all --quiet $(docker compose config --services | grep -vx migrate))
  # shellcheck disable=SC2086  # words
  [[ ! $ids ]] || images=$(docker inspect --format '{{.Config.Image}} {{.Image}}' $ids)
}

put_images_back() {
  local name id
  [[ $images ]] || return 0
  while read -r name id; do
    docker tag "$id" "$name"
  done <<<"$images"
}

# --- nginx ---

# Takes over the configuration that was checked and published last, if it is another than the one that runs. Pages do
# not notice; sockets that are still there when the old workers leave, after 20 s, come back by themselves.
reload_nginx() {
  # shellcheck disable=SC2016  # expanded in the container
  quietly docker compose exec -T nginx sh -euc '
    cd /run/nginx
    published=$(readlink /etc/nginx/edge/current)
    [ "$published" != "$(cat running)" ] || exit 0
    sh /etc/nginx/edge/current/trust.sh >proxies.conf
    nginx -q -p "$PWD" -c /etc/nginx/edge/current/nginx.conf -e stderr -s reload
    echo "$published" >running
  ' || fail "nginx does not reload its configuration: \`docker compose logs nginx\` shows why."
}
