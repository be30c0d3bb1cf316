"""Keeps the certificate and key that nginx shows, in one file that it reads again by itself.

    certificates.py keep       gets it by ACME and renews it; with files of your own it looks when they end
    certificates.py renew      gets a new one now
    certificates.py names      whether DOMAIN can be one
    certificates.py check      whether what comes in, certificate and key, fits together and is for DOMAIN
    certificates.py install    the same, and takes it over
    certificates.py news       what became of it, in a sentence; waits for the first

Until there is a certificate that somebody has signed, it is one signed by itself. One that is there stays until its
successor is there, whatever fails.
"""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fitting import Unfit, first, fitting, is_stopgap, names_in, names_of, stopgap

FOLDER = Path("/certificates")
SITE = FOLDER / "site.pem"
CHALLENGES = FOLDER / "challenges"
NEWS = Path("/tmp/news")

NAMES: list[str] = []
SERVER = os.environ.get("ACME_SERVER", "")
OWN = bool(os.environ.get("TLS_CERT"))

# certbot's own: the account, its keys, what it knows of renewals. Of another authority it knows nothing, so that the
# first certificate after a trial is not the trial's.
ACME = FOLDER / "acme" / re.sub(r"[^A-Za-z0-9.]+", "-", SERVER)
LINEAGE = ACME / "live" / "site"

LOOK_HOURS = 12
# An authority counts what fails: Let's Encrypt refuses after five in an hour.
AGAIN_MINUTES = (5, 15, 30, 60, 180, 360)
SOON = timedelta(days=14)
PATIENCE_SECONDS = 120  # for the first news, of who waits for it


def main(command: str) -> None:
    os.umask(0o027)
    try:
        NAMES.extend(names_in(os.environ["DOMAIN"]))
    except Unfit as error:
        print(error)
        # Starting again and again would change nothing.
        sys.exit(signal.pause() if command == "keep" else 1)
    match command:
        case "keep":
            keep()
        case "renew":
            renew()
        case "check" | "install":
            take_over(sys.stdin.buffer.read(), command)
        case "news":
            print(state() if OWN else await_news())


def keep() -> None:
    """For as long as the container runs."""
    CHALLENGES.mkdir(exist_ok=True)
    ACME.mkdir(exist_ok=True, parents=True, mode=0o700)
    if not SITE.exists():
        publish(stopgap(NAMES))
    failures = 0
    while True:
        failure = "" if OWN else ask()
        if failure:
            minutes = AGAIN_MINUTES[min(failures, len(AGAIN_MINUTES) - 1)]
            failures += 1
            tell(f"{failure} {state()} The next try is in {minutes} minutes; `make certificate` tries at once.")
        else:
            minutes, failures = LOOK_HOURS * 60, 0
            tell(state())
        time.sleep(minutes * 60)


# --- by ACME ---


def ask(*options: str) -> str:
    """A certificate that will last, which takes no network where there is one; why not, else."""
    command = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email"]
    command += ["--cert-name", "site", "--renew-with-new-domains", "--keep-until-expiring", *options]
    command += ["--webroot", "--webroot-path", str(CHALLENGES), "--domains", ",".join(NAMES), "--server", SERVER]
    command += ["--config-dir", str(ACME), "--work-dir", "/tmp/certbot", "--logs-dir", "/tmp/certbot"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        return why(done.stdout + done.stderr)
    try:
        publish(fitting((LINEAGE / "fullchain.pem").read_bytes() + (LINEAGE / "privkey.pem").read_bytes(), NAMES))
    except Unfit as error:
        return f"{SERVER} gave a certificate that does not fit: {error}"
    return ""


def why(said: str) -> str:
    """Of all that certbot says, what the authority has found, or the last line that is not about certbot itself."""
    found = re.findall(r"^ *(?:Identifier|Domain): (\S+)\n *Type: .*\n *Detail: (.+)", said, re.MULTILINE)
    if found:
        reasons = "; ".join(f"{name}: {detail.rstrip('. ')}" for name, detail in found)
        return f"There is no certificate, since port 80 of each name must lead here, and {SERVER} says of {reasons}."
    if re.search(r"CERTIFICATE_VERIFY_FAILED", said):
        return f"There is no certificate, since {SERVER} has none that is trusted here: is ACME_SERVER right?"
    if re.search(r"Max retries exceeded|ConnectionError|Timeout", said):
        return f"There is no certificate, since {SERVER} does not answer: is there a way out, and is ACME_SERVER right?"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Ask for help", "Saving debug log"))]
    return f"There is no certificate: {(telling or ['certbot says nothing'])[-1].rstrip('.')}."


def renew() -> None:
    if OWN:
        sys.exit("TLS_CERT and TLS_KEY are files of your own: whoever made them renews them.")
    if failure := ask("--force-renewal"):
        sys.exit(failure)
    tell(state())


# --- files of one's own ---


def take_over(pem: bytes, command: str) -> None:
    try:
        pem = fitting(pem, NAMES)
    except Unfit as error:
        sys.exit(str(error))
    if command == "install":
        publish(pem)
        print(state())


# --- for nginx ---


def publish(pem: bytes) -> None:
    """Whole or not at all: nginx may look at any moment."""
    if SITE.exists() and SITE.read_bytes() == pem:
        return
    draft = SITE.with_suffix(f".{os.getpid()}")
    draft.write_bytes(pem)
    draft.replace(SITE)


# --- for people ---


def state() -> str:
    certificate = first(SITE.read_bytes())
    if is_stopgap(certificate) and OWN:
        return (
            "TLS_CERT is not taken over yet: `make certificate`. Until then browsers trust nothing that the site shows."
        )
    if is_stopgap(certificate):
        return "Until there is one the site shows one that it has signed itself, which no browser trusts."
    names, end = ", ".join(names_of(certificate)), certificate.not_valid_after_utc
    if end < datetime.now(UTC) + SOON and end - certificate.not_valid_before_utc > 2 * SOON:
        return f"The certificate of {names} ends on {end:%Y-%m-%d}, which is soon."
    return f"The certificate of {names} is good until {end:%Y-%m-%d}."


def tell(news: str) -> None:
    draft = NEWS.with_suffix(".new")
    draft.write_text(news)
    draft.replace(NEWS)
    print(news)


def await_news() -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not NEWS.exists():
        if time.monotonic() > deadline:
            return f"{SERVER} has not answered yet: `docker compose logs certificates` will say what became of it."
        time.sleep(0.2)
    return NEWS.read_text()


if __name__ == "__main__":
    main(sys.argv[1])
