"""What a browser meets: the name, TLS, pages, the handshake of a socket, and how long its silence is borne."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Final

from topics.doctor.clock import clock
from topics.doctor.findings import Finding, ask, broken, doubtful, ok
from topics.doctor.handshakes import forwarded_headers, origins, time_outs, upgrade
from topics.doctor.site import AWAY, FORWARD, LOOK_AT, PORTS, SECONDS, Answer, Site

DAYS_LEFT: Final = 14
DAY: Final = 24 * 3600
RENEW: Final = "Renew it (`make certificate` with DOMAIN in .env, else `certbot renew` or as you got it)"


def look(url: str, silence: float) -> Iterator[Finding]:
    """`silence`: for how many seconds a socket is held without a word, 0 for not at all. Raises ValueError."""
    site = Site.at(url)
    if (yield from ask(PAGES, site)):
        yield from ask(SOCKETS, site, silence)


def reached(site: Site) -> Iterator[Finding]:
    try:
        with socket.create_connection((site.host, site.port), SECONDS) as line:
            if site.scheme == "https":
                yield from certificate(site, line)
                return
    except ssl.SSLCertVerificationError as error:
        mend = f"{RENEW}, and have the proxy send the whole chain (fullchain.pem)."
        yield broken(f"The certificate of {site.host} is refused by browsers: {error.verify_message}.", mend)
    except ssl.SSLError as error:
        mend = "Let the proxy in front end TLS on this port, or use http:// where there is none."
        yield broken(f"{site.netloc} does not speak TLS: {error.reason or 'no answer'}.", mend)
    except socket.gaierror:
        yield broken(f"The name {site.host} has no address.", f"Make a record A or AAAA for {site.host} in its DNS.")
    except OSError as error:
        says = f"Nobody answers at {site.host}, port {site.port}: {error.strerror or 'no answer in time'}."
        yield broken(
            says, "Start the site (`docker compose ps nginx`), open the port, or mend HTTP_BIND and HTTP_PORT in .env."
        )
    else:
        if site.is_local:
            yield ok(f"{site.netloc} answers.")
        else:
            says = f"{site.netloc} is asked without TLS: passwords and words cross the network for all to read."
            yield doubtful(
                says,
                f"Set DOMAIN={site.host} in .env, or end TLS in front with HTTPS=1 and TRUSTED_PROXIES there; "
                f"then use https://{site.host}.",
            )


def certificate(site: Site, line: socket.socket) -> Iterator[Finding]:
    with ssl.create_default_context().wrap_socket(line, server_hostname=site.host) as secure:
        ends = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
    days = int((ends - time.time()) // DAY)
    if days < DAYS_LEFT:
        mend = f"{RENEW}, and see that the proxy loads it."
        yield doubtful(f"The certificate of {site.host} ends in {days} days.", mend)
    else:
        yield ok(f"{site.netloc} answers by TLS, with a certificate for {days} days.")


def page(site: Site) -> Iterator[Finding]:
    try:
        answer = site.get()
    except (OSError, HTTPException) as error:
        yield broken(f"The page breaks off: {type(error).__name__}.", LOOK_AT.format("nginx web"))
        return
    if answer.status == 400:
        mend = f"Add it to ALLOWED_HOSTS, such as ALLOWED_HOSTS={site.host}, and let each proxy pass on Host."
        yield broken(f"The site does not know the name {site.host}.", mend)
    elif "for ever" in answer.text and answer.headers.get_content_type() == "text/plain":
        yield broken(" ".join(answer.text.split()), FORWARD)
    elif answer.status in AWAY:
        yield broken(f"The proxy reaches no server for pages ({answer.status}).", LOOK_AT.format("web"))
    elif answer.status >= 500:
        id = answer.headers.get("X-Request-Id")
        yield broken(f"The page fails ({answer.status}).", f"`make logs ID={id}`." if id else LOOK_AT.format("web"))
    elif answer.status in {301, 302, 307, 308}:
        yield from redirected(site, answer.headers.get("Location", ""))
    elif answer.status != 200:
        yield broken(f"The page is answered by {answer.status}.", "Look at what stands in front of the site.")
    else:
        yield ok("The page comes.")
        yield from style(site, answer)


def redirected(site: Site, to: str) -> Iterator[Finding]:
    if to.rstrip("/") == site.origin:
        yield broken(f"{site.origin} redirects to itself for ever: the server does not know of the TLS.", FORWARD)
    elif to.startswith("https:") and site.scheme == "http":
        mend = f"`make doctor URL={to.rstrip('/')}`, for which a proxy in front must end TLS; else set HTTPS=0."
        yield doubtful(f"{site.origin} sends browsers to {to[:100]}, which is not looked at here.", mend)
    else:
        yield ok(f"The page redirects to {to[:100]}.")


def style(site: Site, page: Answer) -> Iterator[Finding]:
    """A page whose style sheet is missing was made without `collectstatic`, or static files go elsewhere."""
    for link in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)[:1]:
        if (status := site.get(link).status) != 200:
            mend = "Run `manage.py collectstatic --noinput`, and let the proxy pass /static/ on to the servers."
            yield broken(f"The page's static file {link} is answered by {status}.", mend)


def services(site: Site) -> Iterator[Finding]:
    answer = site.get("/health/ready")
    try:
        word = json.loads(answer.body)["status"]
    except (ValueError, KeyError, TypeError):
        yield doubtful(
            f"/health/ready is answered by {answer.status}, not by the site.", "Look at what stands in front of it."
        )
        return
    if answer.status == 200 and word == "ok":
        yield ok("The database and Redis answer the servers.")
    elif answer.status == 200:
        yield broken("Redis does not answer the servers: words arrive late.", LOOK_AT.format("redis"))
    elif word == "draining":
        yield doubtful("The server for pages is leaving.", "Look again in half a minute.")
    else:
        says = "The servers are not ready: the database is away, lacks migrations or takes no writes."
        yield broken(says, LOOK_AT.format("postgres"))


def transport_security(site: Site) -> Iterator[Finding]:
    if site.scheme != "https":
        return
    if not site.get().headers.get("Strict-Transport-Security"):
        yield doubtful("Browsers are not told to come by https alone (HSTS).", "Set HTTPS=1.")
    if site.port != PORTS["https"]:
        return
    try:
        plain = Site("http", site.host, PORTS["http"]).get()
    except (OSError, HTTPException):
        return  # nobody listens there, which is as good
    if not plain.headers.get("Location", "").startswith("https:"):
        mend = "Let the proxy redirect it: `return 301 https://$host$request_uri;`."
        yield doubtful(f"http://{site.host} does not lead to https.", mend)


def clock_of_the_site(site: Site) -> Iterator[Finding]:
    before = time.time()
    said = site.get("/health/live").headers.get("Date")
    if said:
        yield clock("the site", before, parsedate_to_datetime(said).timestamp(), time.time(), exact_to=1)


PAGES: Final = (reached, page, services, transport_security, clock_of_the_site)
SOCKETS: Final = (upgrade, origins, forwarded_headers, time_outs)
