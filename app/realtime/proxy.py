"""Whom to believe about the client's address and scheme.

With PROXY_HOPS=1 exactly one proxy of ours stands in front: the last entry of X-Forwarded-For is what it
saw and X-Forwarded-Proto is what it was asked by. Everything before that entry was written by anybody.
With PROXY_HOPS=0 both headers are the client's own words and are ignored.
"""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from asgiref.sync import markcoroutinefunction

SCHEMES = {
    **dict.fromkeys(("https", "wss", "on", "ssl"), "https"),
    **dict.fromkeys(("http", "ws", "off"), "http"),
}


def over_asgi(application: Any, hops: int) -> Any:
    """The application with `client` and `scheme` of its scope as the proxy reports them."""
    if not hops:
        return application

    @markcoroutinefunction
    def trusting(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        return application(scope | reported(scope), receive, send)

    return trusting


def over_wsgi(application: Callable[..., Iterable[bytes]], hops: int) -> Callable[..., Iterable[bytes]]:
    """The application with REMOTE_ADDR and wsgi.url_scheme as the proxy reports them."""
    if not hops:
        return application

    def trusting(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if address := client_of(environ.get("HTTP_X_FORWARDED_FOR", "")):
            environ["REMOTE_ADDR"] = address
        if scheme := known_scheme(environ.get("HTTP_X_FORWARDED_PROTO", "")):
            environ["wsgi.url_scheme"] = scheme
        return application(environ, start_response)

    return trusting


def reported(scope: dict[str, Any]) -> dict[str, Any]:
    headers = dict(scope["headers"])
    found: dict[str, Any] = {}
    if address := client_of(headers.get(b"x-forwarded-for", b"").decode("latin-1")):
        found["client"] = [address, 0]
    if scheme := known_scheme(headers.get(b"x-forwarded-proto", b"").decode("latin-1")):
        secure = scheme == "https"
        found["scheme"] = scheme if scope["type"] == "http" else ("wss" if secure else "ws")
    return found


def last(header: str) -> str:
    return header.rpartition(",")[2].strip()


def client_of(header: str) -> str:
    """The address, as every proxy spells it: with a port (Azure), in brackets, in quotes, with a zone, as IPv6.

    Empty where it is none: then the connection's own address stays.
    """
    text = last(header).strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def known_scheme(header: str) -> str:
    """Proxies name the page's scheme, the socket's (Traefik: wss), or say only whether there was TLS."""
    return SCHEMES.get(last(header).strip('"').lower(), "")
