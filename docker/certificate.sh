#!/usr/bin/env bash
# Gets a new certificate now, or takes over TLS_CERT and TLS_KEY where they are set. No socket is cut.
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=docker/common.sh
. docker/common.sh

main() {
  needs
  has certificates || fail "There is no certificate without DOMAIN: docs/operate.md has the ways to TLS."
  if own_certificate; then
    take_over check
    # Which learns by it that it is to ask nobody any more.
    quietly docker compose up --detach --no-deps --wait certificates || fail "The container \`certificates\` does not start."
    take_over install
    say_certificate
  else
    say "asking for a certificate"
    docker compose exec -T certificates "${certificates[@]}" renew || fail "The site shows the certificate that it had."
  fi
}

main
