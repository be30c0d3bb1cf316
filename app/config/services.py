"""DATABASE_URL and EMAIL_URL (`between.py`: REDIS_URL): what the libraries make of them, checked before they connect.

A password with a character that ends it early would make the rest of it a host, a port or a name, and those are
logged. So an address must have the one meaning that was intended, and no sentence here repeats any of it.
"""

import re
from email.utils import parseaddr
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from config import sites

CONNECT_SECONDS = 5
REPLICA_SECONDS = 1  # for a connection of the pool: then the database itself is read
STATEMENT_TIMEOUT = "10s"
ESCAPES = "a character such as / # ? @ % in a user name or password is written %2F %23 %3F %40 %25."
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
SET_IN_OPTIONS = r"(?:^|\s)(?:-c\s*|--){}\s*=\s*(\S+)"


def refuse(name: str, sentence: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {sentence}")


def database(name: str, url: str) -> dict[str, Any]:
    """Django's settings of the database at the address in the variable `name`. Raises ImproperlyConfigured."""
    if not url:
        raise refuse(name, "is missing: set it to postgres://user:password@host:5432/name (or sqlite:///path).")
    if url.startswith("sqlite://"):
        return sqlite(name, url)
    if url.startswith(("postgres://", "postgresql://")):
        return postgres(name, url)
    raise refuse(name, "must begin with postgres:// or sqlite://.")


def sqlite(name: str, url: str) -> dict[str, Any]:
    """Ours first, the operator's after it."""
    path = url.removeprefix("sqlite://").partition("?")[0]
    if "#" in url or (path != ":memory:" and not path.removeprefix("/")) or not path.startswith(("/", ":memory:")):
        raise refuse(name, "must be sqlite:///path, where # and ? in the path are written %23 and %3F.")
    found: dict[str, Any] = environ.Env.db_url_config(url.replace(path, path.replace("+", "%2B"), 1))
    ours = {"transaction_mode": "IMMEDIATE", "timeout": CONNECT_SECONDS}
    theirs: dict[str, Any] = found.get("OPTIONS", {})
    durable = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    return found | {"OPTIONS": ours | theirs | {"init_command": durable + str(theirs.get("init_command", ""))}}


# --- Postgres --------------------------------------------------------------------------------------


def postgres(name: str, url: str) -> dict[str, Any]:
    """Read by libpq itself: socket folders, several hosts and parameters mean here what they mean to psql."""
    try:
        found: dict[str, Any] = dict(conninfo_to_dict(url))
    except (Error, UnicodeError):  # whose words may show a part of the password
        raise refuse(name, f"cannot be read as an address: {ESCAPES} Parameters after ? are libpq's.") from None
    if not is_plausible(found):
        raise refuse(name, f"cannot be read as an address: {ESCAPES}")
    if found.get("sslmode", "prefer") not in SSL_MODES:
        raise refuse(name, f"has an sslmode that is none of {', '.join(SSL_MODES)}.")
    if not str(found.get("connect_timeout", "1")).isdecimal():
        raise refuse(name, "has a connect_timeout that is no whole number of seconds.")
    if not found.get("dbname") and not found.get("service"):
        raise refuse(name, "names no database: it ends in /name, as in postgres://user:password@host:5432/name.")
    if set_by(found, "synchronous_commit") in {"off", "false", "no", "0"}:
        raise refuse(name, "turns synchronous_commit off, and an acknowledged message could be lost.")
    if "," in str(found.get("host", "")):  # of those that answer, the one that is not a standby
        found.setdefault("target_session_attrs", "any" if name == "READ_DATABASE_URL" else "read-write")
    named = {django: found.pop(libpq, "") for django, libpq in NAMES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": {"connect_timeout": CONNECT_SECONDS} | found}


def replica(name: str, url: str, beside: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A copy of the database `beside`, kept as that is, by its name for Django; nothing where the address is empty."""
    if not url:
        return {}
    found = database(name, url)
    if "config.postgres" not in beside["ENGINE"] or not found["ENGINE"].endswith("postgresql"):
        raise refuse(name, "is for a standby of the Postgres in DATABASE_URL.")
    kept = {key: beside["OPTIONS"][key] for key in ("sslmode", "application_name", "pool") if key in beside["OPTIONS"]}
    if "pool" in kept:
        kept["pool"] = kept["pool"] | {"timeout": REPLICA_SECONDS}
    return {"replica": beside | found | {"ENGINE": beside["ENGINE"], "OPTIONS": kept | found["OPTIONS"]}}


def is_plausible(found: dict[str, Any]) -> bool:
    """Whether each part looks like what it should be, and not like the rest of a password."""
    hosts = str(found.get("host", "")).split(",")
    ports = str(found.get("port", "")).split(",")
    return (
        all(not host or host.startswith("/") or is_server(host) for host in hosts)
        and all(not port or (port.isdecimal() and 0 < int(port) < 65536) for port in ports)
        and "@" not in str(found.get("dbname", ""))
    )


def is_server(name: str) -> bool:
    """Containers' names may have an underscore, which hosts of a site may not."""
    return sites.is_address(name) or sites.NAME.fullmatch(name.lower().replace("_", "-").removesuffix(".")) is not None


def session(database: dict[str, Any], *, timeout: bool) -> dict[str, str]:
    """What a connection sets once it is open, but for what the operator has set in `options`.

    Not by `options` of our own: PgBouncer refuses those.
    """
    ours = {"synchronous_commit": "on"} | ({"statement_timeout": STATEMENT_TIMEOUT} if timeout else {})
    return {name: value for name, value in ours.items() if not set_by(database["OPTIONS"], name)}


def set_by(options: dict[str, Any], name: str) -> str:
    found = re.findall(SET_IN_OPTIONS.format(name.replace("_", "[_-]")), str(options.get("options", "")))
    return str(found[-1]).lower() if found else ""


# --- E-mail ----------------------------------------------------------------------------------------

SMTP = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}  # its port, where the address has none


class Mail(NamedTuple):
    """How letters are sent. `starttls`: encrypted from that command on; `tls`: from the beginning."""

    backend: str = "django.core.mail.backends.console.EmailBackend"
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def mail(url: str) -> Mail:
    """Into the log where the address is empty. Raises ImproperlyConfigured."""
    if not url:
        return Mail()
    scheme = url.partition("://")[0]
    if scheme not in SMTP:
        raise refuse("EMAIL_URL", "must begin with smtp://, smtp+tls:// or smtp+ssl:// (or be empty, for the log).")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or SMTP[scheme]
    except ValueError:  # whose words may show a part of the password
        host, port = "", 0
    if not is_server(host) or parts.path not in {"", "/"} or re.search("[?#]", url):
        raise refuse("EMAIL_URL", f"cannot be read as smtp+tls://user:password@smtp.example.org:587: {ESCAPES}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return Mail(backend, host, port, user, password, scheme == "smtp+tls", scheme == "smtp+ssl")


def sender(address: str, mail: Mail) -> str:
    """Whom letters are from. Raises ImproperlyConfigured: what a server would make up is taken for spam."""
    if not address and not mail.host:
        return "rooms@localhost"
    try:
        validate_email(parseaddr(address)[1] if address.isprintable() else "")
    except ValidationError:
        raise refuse(
            "DEFAULT_FROM_EMAIL", "must be an address that EMAIL_URL may send for, such as Rooms <rooms@example.org>."
        ) from None
    return address
