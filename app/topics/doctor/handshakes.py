"""The handshake of a socket: as a program, as the site's own page, as a stranger's; and how long silence is borne."""

import time
from collections.abc import Iterator
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from realtime.closing import LOGIN, RESTART
from realtime.limits import PING_SECONDS
from topics.delivery.frames import PROTOCOL
from topics.doctor.findings import Finding, broken, doubtful, ok
from topics.doctor.site import AWAY, FORWARD, LOOK_AT, Site

SOCKETS: Final = "/ws/"
PROBE: Final = "/ws/health/"  # which the server closes at once
STRANGER: Final = "https://doctor.invalid"
UPGRADE: Final = (
    "Let the proxy in front pass upgrades on; nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade"; and lead /ws/ to ws, not to web.'
)


def upgrade(site: Site, *_: object) -> Iterator[Finding]:
    """Without an origin, as programs dial: whatever is refused here is refused by who stands in between."""
    try:
        status = site.handshake(PROBE)
    except (OSError, InvalidHandshake, ConnectionClosed) as error:
        yield broken(f"The handshake of a socket breaks off: {type(error).__name__}.", UPGRADE)
        return
    if status == 101:
        yield ok("The handshake of a socket arrives.")
    elif status in AWAY:
        yield broken(f"The proxy reaches no server for sockets ({status}).", LOOK_AT.format("ws"))
    else:
        yield broken(f"The handshake of a socket arrives as no handshake: it is answered by {status}.", UPGRADE)


def origins(site: Site, *_: object) -> Iterator[Finding]:
    """The site's own pages may open sockets, and nobody else's, whatever a client says of itself."""
    if (status := site.handshake(PROBE, site.origin)) not in {101, *AWAY}:
        yield broken(
            f"The site's own page {site.origin} may open no socket ({status}): the server sees another one.", FORWARD
        )
    elif (status := site.handshake(SOCKETS, site.origin, PROTOCOL)) == 403:
        yield broken("Sockets are refused, since the server does not know of the TLS.", FORWARD)
    else:
        yield ok(f"The page {site.origin} may open sockets.")
    if site.handshake(PROBE, STRANGER) == 101:
        mend = "Let the proxy pass on the header Origin, and take * out of ALLOWED_HOSTS."
        yield broken("A page of any other site may open sockets here, as its visitors.", mend)


def forwarded_headers(site: Site, *_: object) -> Iterator[Finding]:
    """If a client's own X-Forwarded-Proto is believed, so is its X-Forwarded-For: it may have any address."""
    other = "http" if site.scheme == "https" else "https"
    claimed = site._replace(scheme=other)
    if site.handshake(PROBE, claimed.origin, X_Forwarded_Proto=other) == 101:
        mend = (
            "The outermost proxy must set these headers, not pass them on (nginx: proxy_set_header X-Forwarded-Proto "
            "$scheme; proxy_set_header X-Forwarded-For $remote_addr;); PROXY_HOPS=0 where none stands in front."
        )
        yield broken("Any client is believed what it says of its scheme and address.", mend)
    else:
        yield ok("What a client says of its own scheme is not believed.")


def time_outs(site: Site, seconds: float) -> Iterator[Finding]:
    """A socket on which nobody says a word is kept alive by the server's pings, unless somebody cuts it before."""
    if not seconds:
        return
    began = time.monotonic()
    try:
        with site.dial(SOCKETS, site.origin, PROTOCOL) as held:
            while (left := began + seconds - time.monotonic()) > 0:
                held.recv(timeout=left)
    except TimeoutError:
        pass
    except InvalidStatus as refused:
        yield doubtful(f"No socket could be held ({refused.response.status_code}).", "Mend what was found above.")
        return
    except ConnectionClosed as closed:
        yield ended(time.monotonic() - began, closed.rcvd.code if closed.rcvd else 1006)
        return
    yield ok(f"A silent socket is kept for {seconds:.0f} s.")


def ended(after: float, code: int) -> Finding:
    if code == LOGIN.code:
        return ok("A silent socket was not tried: only who is logged in may open one (ALLOW_GUESTS=0).")
    if code in {RESTART.code, 1012}:
        return doubtful("The server left while a socket was held.", "Look again in half a minute.")
    return broken(
        f"A silent socket was cut after {after:.0f} s ({code}), though the server pings every {PING_SECONDS} s.",
        "Raise the time-outs of each proxy in front to 75 s (nginx: proxy_read_timeout 75s; proxy_send_timeout 75s;).",
    )
