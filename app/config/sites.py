"""The spelling of hosts and origins, so that what the operator writes can be met by what browsers send.

Browsers send names in lower case and in punycode, and leave out a scheme's own port. A spelling that means only one
thing is brought into that form. One that could never be met is refused, with the right spelling where there is one.
"""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import idna

Reader = Callable[[str], str]
NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")  # what Django takes for the name in a Host header
ORIGIN = re.compile(r"(https?)://([^/:@?#]+|\[[^]]*\])(?::([0-9]{1,5}))?")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Misspelt(ValueError):
    """The sentence says how to spell it."""


def host(text: str) -> str:
    """A name, `.example.org` for it and all below it, an address, or `*`. Raises Misspelt."""
    name = text.lower().removeprefix(".")
    dot = "." if text.startswith(".") else ""
    if text == "*" or is_host(name):
        return dot + canonical(name)
    meant = meant_by(text)
    raise misspelt(text, meant if is_host(meant.removeprefix(".")) else "", "a host name such as rooms.example.org")


def origin(text: str) -> str:
    """`scheme://host[:port]`. Raises Misspelt."""
    found = ORIGIN.fullmatch(text.lower())
    if found and is_host(found[2]) and int(found[3] or 1) in range(1, 65536):
        return spelled(found[1], canonical(found[2]), int(found[3] or DEFAULT_PORTS[found[1]]))
    raise misspelt(text, origin_meant_by(text), "an origin such as https://example.org")


def interface(text: str) -> str:
    """An address or a name to listen on, without brackets. Raises Misspelt."""
    plain = text.lower().removeprefix("[").removesuffix("]")
    if is_address(plain) or NAME.fullmatch(plain):
        return plain
    raise misspelt(text, "", "an address to listen on such as 127.0.0.1 or ::1, without a port")


def spelled(scheme: str, name: str, port: int) -> str:
    return f"{scheme}://{name}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def misspelt(text: str, meant: str, kind: str) -> Misspelt:
    if meant:
        return Misspelt(f"{text[:100]!r} can never match what browsers send: write {meant}.")
    return Misspelt(f"{text[:100]!r} is not {kind}; several are separated by commas.")


# --- Names -----------------------------------------------------------------------------------------


def is_host(name: str) -> bool:
    """A name, or an address as a URL has it: that of IPv6 in brackets."""
    if name.startswith("["):
        return name.endswith("]") and ":" in name and is_address(name[1:-1])
    return NAME.fullmatch(name) is not None


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def canonical(name: str) -> str:
    """IPv6 has many spellings, and browsers send the shortest."""
    return f"[{ipaddress.ip_address(name[1:-1])}]" if name.startswith("[") else name


# --- What was probably meant -----------------------------------------------------------------------


def meant_by(text: str) -> str:
    """The host in an address that is written in full, with a port, with quotes, with a wildcard or in Unicode."""
    text = text.lower().strip("\"'`")
    text = re.split(r"[/?#]", text.rpartition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    if is_address(text):
        return f"[{text}]" if ":" in text else text
    text = re.sub(r":[0-9]*$", "", text).removesuffix(".")
    text = text.removeprefix("*") if text.startswith("*.") else text
    return "." + in_punycode(text[1:]) if text.startswith(".") else in_punycode(text)


def origin_meant_by(text: str) -> str:
    text = text.lower().strip("\"'`")
    scheme, _, rest = text.rpartition("://")
    name = meant_by(text)
    try:
        port = urlsplit(f"//{rest}").port
    except ValueError:
        return ""
    scheme = scheme or "https"
    known = scheme in DEFAULT_PORTS and is_host(name) and "." in name
    return spelled(scheme, name, port or DEFAULT_PORTS[scheme]) if known else ""


def in_punycode(text: str) -> str:
    """As browsers write it. Text that has no such form stays as it is."""
    try:
        return text if text.isascii() else idna.encode(text, uts46=True).decode()
    except UnicodeError:
        return text
