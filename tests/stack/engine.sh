#!/usr/bin/env bash
# A Docker engine and this project's base images, also on a bare Debian machine that can pull nothing.
#
#   engine.sh up      use the engine that answers, else install and start one; see that every base image exists
#   engine.sh down    end the engine that `up` started; its images and packages stay
#   engine.sh status  one line; exit status 1 while no engine answers
#   engine.sh newer   print a folder for DOCKER_CONFIG with the newest compose and buildx that Debian has
#
# Exit status 3: this machine cannot have one, and the last line on standard error says what is missing.
# ENGINE_STATE is the folder for the log, the process number and scratch files.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${ENGINE_STATE:-${XDG_CACHE_HOME:-$HOME/.cache}/django-websocket-stack/engine}
pidfile=$state/dockerd.pid
log=$state/steps.log
ca_bundle=/etc/ssl/certs/ca-certificates.crt

# What the Dockerfiles and the compose file start from. A stand-in lives in images/<name before the colon>.
images=(python:3.13-slim-trixie postgres:17-trixie redis:8-trixie nginx:1.30)
debian=debian:trixie-slim

start_seconds=60
stop_seconds=60
pull_seconds=600

main() {
  case ${1:-} in
    up) locked up ;;
    down) locked down ;;
    status) status ;;
    newer) locked newer ;;
    *) grep '^#   engine' "$0" | cut -c5- >&2; exit 2 ;;
  esac
}

say() { echo "engine: $*" >&2; }
cannot() { say "$*"; exit 3; }

# Test runs that start together wait for the first one's work instead of repeating it.
locked() {
  mkdir -p "$state"
  exec 9>"$state/lock"
  flock 9
  "$@"
}

# Runs a command and shows what it said only if it failed.
quietly() {
  : >"$log"
  "$@" >"$log" 2>&1 && return
  tail -n 30 "$log" >&2
  say "failed: $*"
  exit 1
}

up() {
  have_tools || install_tools
  answers || start
  provide_images
  say "Docker $(docker version --format '{{.Server.Version}}') answers, its base images are there"
}

answers() { docker info >/dev/null 2>&1; }

have_tools() {
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 &&
    { answers || command -v dockerd >/dev/null; }
}

# --- packages ---

needs_bare_debian() {
  grep -qx 'ID=debian' /etc/os-release 2>/dev/null || cannot "$1, and only on Debian can it be made here."
  [[ $EUID == 0 ]] || cannot "$1, and only root can make it here."
}

install_tools() {
  needs_bare_debian "Docker Engine with its compose and buildx plugins is missing"
  say "installing Docker"
  fetch_docker
  install_packages containerd runc tini iptables debootstrap "$state"/apt/*.deb
}

# Debian 12's engine refuses healthcheck.start_interval; that of the release after it needs nothing newer than
# Debian 12's libc. A configuration of its own keeps the other release out of the machine's package lists.
fetch_docker() { fetch trixie docker.io docker-cli docker-compose docker-buildx; }

# The two plugins of the release after that, beside those that are installed: compose has changed what it replaces when.
newer() {
  local deb plugins=$state/newer/cli-plugins
  if [[ ! -d $plugins ]]; then
    needs_bare_debian "A newer compose is missing"
    say "fetching a newer compose"
    mkdir -p "$state/newer"
    fetch forky docker-compose docker-buildx
    for deb in "$state"/apt/*.deb; do
      quietly dpkg-deb --extract "$deb" "$state/newer/extracted"
    done
    mv "$state/newer/extracted/usr/libexec/docker/cli-plugins" "$plugins"
    rm -r "$state/newer/extracted"
  fi
  echo "$state/newer"
}

fetch() {
  local site
  site=$(mirror)
  mkdir -p "$state/apt/lists/partial" "$state/apt/cache/archives/partial"
  rm -f "$state"/apt/*.deb
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $1 main" >"$state/apt/sources.list"
  quietly private_apt update
  (cd "$state/apt" && quietly private_apt download "${@:2}")
}

# The mirror that the machine's own package sources use. apt knows it from its lists, which a fresh machine lacks.
mirror() {
  local site
  quietly apt-get update
  # shellcheck disable=SC2016  # apt expands $(REPO_URI)
  site=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 'Identifier: Packages' | sed -n 1p)
  [[ -n $site ]] || cannot "apt has no source that is a mirror of Debian."
  echo "$site"
}

# A mirror may hold the lists of a release in the making longer than their date allows.
private_apt() {
  apt-get -o Acquire::Check-Valid-Until=false -o Dir::Etc::SourceList="$state/apt/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$state/apt/lists" -o Dir::Cache="$state/apt/cache" -o APT::Sandbox::User=root "$@"
}

# A subshell, for the sake of its trap: apt starts the servers that it installs unless this hook forbids it, and an
# engine that somebody else started is one that `down` may not end.
install_packages() (
  hook=/usr/sbin/policy-rc.d
  if [[ ! -e $hook ]]; then
    trap 'rm -f "$hook"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$hook"
    chmod +x "$hook"
  fi
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get -o DPkg::Lock::Timeout=300 install --yes --no-remove --no-install-recommends "$@"
)

# --- the engine ---

start() {
  [[ -z ${DOCKER_HOST:-} ]] || cannot "DOCKER_HOST names an engine that does not answer."
  [[ $EUID == 0 ]] || cannot "No Docker engine answers, and only root can start one."
  local mtu
  mtu=$(route_mtu)
  say "starting dockerd, log in $state/dockerd.log"
  # Mounts of its own: a test may lay a file over one that the engine reads, and nobody else sees it.
  setsid unshare --mount --propagation slave dockerd --pidfile "$pidfile" --mtu "$mtu" \
    --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" >"$state/dockerd.log" 2>&1 </dev/null 9>&- &
  wait_until "$start_seconds" answers && return
  tail -n 20 "$state/dockerd.log" >&2
  say "dockerd did not answer within $start_seconds seconds"
  exit 1
}

# Bridges wider than the way out lose large packets without a word: downloads in containers would hang.
route_mtu() {
  local device
  device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
  cat "/sys/class/net/${device:-lo}/mtu"
}

wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# dockerd ends its containers and its own containerd.
down() {
  if ! ours; then
    say "no engine of ours runs"
    return
  fi
  local pid
  pid=$(<"$pidfile")
  kill -TERM "$pid"
  wait_until "$stop_seconds" ended "$pid" || { say "dockerd ($pid) did not end within $stop_seconds seconds"; exit 1; }
  say "down"
}

# The name guards against a number that the system has given to another process since.
ours() { [[ -s $pidfile && $(cat "/proc/$(<"$pidfile")/comm" 2>/dev/null) == dockerd ]]; }
ended() { [[ ! -e /proc/$1 ]]; }

status() {
  if ! answers; then
    echo "no Docker engine answers"
    return 1
  fi
  local whose="not started here" image kinds
  ! ours || whose="started here, pid $(<"$pidfile")"
  kinds=$(for image in "${images[@]}"; do printf ', %s %s' "$image" "$(kind "$image")"; done)
  echo "Docker $(docker version --format '{{.Server.Version}}') ($whose), compose $(docker compose version --short);" \
    "${kinds#, }"
}

kind() {
  local built_from
  if ! built_from=$(recipe_in "$1"); then
    echo missing
  elif [[ -n $built_from ]]; then
    echo stand-in
  else
    echo present
  fi
}

# --- images ---

provide_images() {
  local image
  for image in "${images[@]}"; do
    current "$image" || pull "$image" || build_stand_in "$image"
  done
}

# A stand-in is current while its folder is what it was built from.
current() {
  local built_from
  built_from=$(recipe_in "$1") && [[ -z $built_from || $built_from == $(recipe "$1") ]]
}

# Fails where there is no such image; empty for one that is no stand-in.
recipe_in() { docker image inspect --format '{{index .Config.Labels "stand-in"}}' "$1" 2>/dev/null; }
recipe() { (cd "$here/images/${1%%:*}" && cat -- * | sha256sum | cut -c1-12); }

# The engine gives up on a registry that it cannot reach within seconds; the deadline is for a slow one. One failed
# attempt speaks for the rest.
pull() {
  [[ -z ${unreachable:-} ]] || return 1
  say "pulling $1"
  timeout "$pull_seconds" docker pull --quiet "$1" >/dev/null 2>&1 && return
  unreachable=yes
  say "no image registry answers: building stand-ins"
  return 1
}

build_stand_in() {
  local folder=$here/images/${1%%:*}
  recipe_in "$debian" >/dev/null || import_debian
  say "building a stand-in for $1"
  quietly docker build --tag "$1" --label "stand-in=$(recipe "$1")" "$folder"
}

import_debian() {
  needs_bare_debian "$debian can be neither found nor pulled"
  say "building $debian"
  local root=$state/rootfs site
  site=$(mirror)
  command -v debootstrap >/dev/null || install_packages debootstrap
  rm -rf --one-file-system "$root"
  quietly debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$site"
  slim "$root"
  # Package traffic may pass through a proxy whose authority only the host knows.
  cp "$ca_bundle" "$root$ca_bundle"
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' --change "ENV PIP_CERT=$ca_bundle" \
    --change "ENV SSL_CERT_FILE=$ca_bundle" --change "ENV REQUESTS_CA_BUNDLE=$ca_bundle" - "$debian" >/dev/null
  rm -rf "$root"
}

# As Debian's own slim image: no documentation, no package lists, no start of what gets installed, no waiting for disks.
slim() {
  rm -rf "$1"/usr/share/{doc,info,locale,man}/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*
  printf 'path-exclude /usr/share/%s/*\n' doc info locale man >"$1/etc/dpkg/dpkg.cfg.d/slim"
  echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/speed"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod +x "$1/usr/sbin/policy-rc.d"
}

main "$@"
