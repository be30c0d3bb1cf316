"""DATABASE_URL, REDIS_URL and EMAIL_URL: what the libraries make of them, checked before anything connects.

A password with a character that ends it early would make the rest of it a host, a port or a name, and those are
logged. So an address must have the one meaning that was intended, and no sentence here repeats any of it.
"""

import re
import ssl
from email.utils import parseaddr
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from config import sites
from realtime.lean import ConnectionPool

CONNECT_SECONDS = 5
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
    named = {django: found.pop(libpq, "") for django, libpq in NAMES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": {"connect_timeout": CONNECT_SECONDS} | found}


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


# --- Redis -----------------------------------------------------------------------------------------


def redis(url: str, authority: str) -> dict[str, Any]:
    """What is to be known beside the address: how TLS is verified. Raises ImproperlyConfigured."""
    if url and not url.startswith(("redis://", "rediss://")):
        raise refuse("REDIS_URL", "must begin with redis:// or rediss:// (or be empty, for one process).")
    if authority and not is_certificate(authority):
        raise refuse("REDIS_CA", "is no certificate in PEM: give its text, or the path of its file as REDIS_CA_FILE.")
    if not url:
        return {}
    try:
        parts = urlsplit(url)
        tls = verification(parts.query, authority) if parts.scheme == "rediss" else {}
        rest = url.partition("://")[2].removeprefix(parts.netloc)
        good = is_server(parts.hostname or "") and not re.search(r"[@#]", rest) and re.fullmatch(r"/?\d*", parts.path)
        ConnectionPool.from_url(url, **tls).make_connection()
    except Exception:  # whose words may show a part of the password
        good = None
    if not good:
        raise refuse("REDIS_URL", f"cannot be read as redis://:password@host:6379/0: {ESCAPES}")
    return tls


def verification(query: str, authority: str) -> dict[str, Any]:
    """Always encrypted, and verified where there is an authority to do it by, unless the address says how.

    Heroku's certificate is self-signed.
    """
    if authority:
        return {"ssl_ca_data": authority}
    if re.search("ssl_(cert_reqs|ca_|check_hostname)", query):
        return {}
    return {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


def is_certificate(text: str) -> bool:
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError:
        return False
    return True


def layers(url: str, tls: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What may carry events between the processes, by its name."""
    return {
        "redis": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": url} | tls if tls else url], "prefix": "rooms"},
        },
        "postgres": {"BACKEND": "realtime.postgres.PostgresChannelLayer", "CONFIG": {"prefix": "rooms"}},
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}},
    }


def place(url: str) -> str:
    """host:port of an address that was checked, for people to read."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else ""


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
