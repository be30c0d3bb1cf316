"""How the environment is read: each kind of value with its own reader, for config.settings alone.

A value that makes no sense raises ImproperlyConfigured with one sentence that names the variable and says how to write
it. The sentence never repeats what may be secret.
"""

import re
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config import sites

QUOTES = "\"'`“”‘’"
LEAST_KEY = 32  # characters
LEAST_DIFFERENT = 8  # of them; random ones have more, words that are repeated have fewer
GENERATED_BY_DJANGO = "django-insecure-"  # startproject's key, which is in somebody's repository
PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|replace.?(me|this)|your.?(own.?)?secret|secret.?key|placeholder|insecure"
)

env = environ.FileAwareEnv()


def word(name: str, default: str = "") -> str:
    """Text as it was given (a `$` in a key is a character of it), without the line end that editors leave in files."""
    if env.ENVIRON.env.get(name) and env.ENVIRON.env.get(f"{name}_FILE"):
        raise ImproperlyConfigured(
            f"{name} and {name}_FILE are both set: which one holds? In containers docker-compose.yml sets {name}_FILE, "
            f"and docker/postgres-elsewhere.yml or docker/redis-elsewhere.yml takes it away."
        )
    try:
        text = str(env.ENVIRON.get(name, default)).strip()
        text.encode()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name}_FILE names a file that is not text in UTF-8.") from None
    except UnicodeEncodeError:
        raise ImproperlyConfigured(f"{name} is not text in UTF-8.") from None
    if len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        raise ImproperlyConfigured(f"{name} is quoted: remove the quotes (`docker --env-file` keeps them).")
    return text


def whole(name: str, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
    """A whole number between least and most."""
    text = word(name, str(default))
    if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {text[:20]!r}.")
    return int(text)


def switch(name: str, default: bool) -> bool:
    """1 or 0. Anything else is refused: a typing error must not turn HTTPS off."""
    text = word(name, str(int(default))).lower()
    if text not in {"0", "1", "true", "false", "on", "off", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {text[:20]!r}.")
    return text in {"1", "true", "on", "yes"}


def choice(name: str, default: str, options: tuple[str, ...]) -> str:
    text = word(name, default).lower()
    if text not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not {text[:20]!r}.")
    return text


def share(name: str, default: str) -> float:
    """Of 1, such as 0.01."""
    text = word(name, default)
    if not re.fullmatch(r"[01]|0?\.[0-9]{1,10}|1\.0{1,10}", text):
        raise ImproperlyConfigured(f"{name} must be a number from 0 to 1, such as 0.01, not {text[:20]!r}.")
    return float(text)


def service(name: str) -> str:
    """The address of one that is asked by HTTP, without the path of a question. Empty: none. May hold secrets."""
    text = word(name)
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        good = False
    if text and not (good and text.isascii() and text.isprintable() and " " not in text and "#" not in text):
        raise ImproperlyConfigured(f"{name} must be an address such as http://collector:4318.")
    return text


def headers(name: str) -> dict[str, str]:
    """Names and values of HTTP headers, the values percent-encoded. They may be secrets."""
    found = {}
    for item in filter(None, map(str.strip, word(name).split(","))):
        header, equals, value = item.partition("=")
        if not (equals and re.fullmatch(r"[\w-]+", header.strip(), re.ASCII) and unquote(value).isprintable()):
            raise ImproperlyConfigured(f"{name} must be name=value, with commas between and values percent-encoded.")
        found[header.strip()] = unquote(value.strip())
    return found


def key(name: str, *, debug: bool) -> str:
    """A secret that signs: whoever guesses it can be anybody."""
    text = word(name)
    advice = "set it to 50 or more random characters, for example the output of `openssl rand -hex 32`."
    if not text:
        raise ImproperlyConfigured(f"{name} is missing: {advice} `make run` and `make manage` have one of their own.")
    if len(text) < LEAST_KEY:
        raise ImproperlyConfigured(f"{name} is too short ({len(text)} characters) and can be guessed: {advice}")
    if len(set(text)) < LEAST_DIFFERENT:
        raise ImproperlyConfigured(
            f"{name} has only {len(set(text))} different characters and can be guessed: {advice}"
        )
    if PLACEHOLDER.search(text.lower()) and not (debug and text.startswith(GENERATED_BY_DJANGO)):
        raise ImproperlyConfigured(f"{name} is a placeholder that others know: {advice}")
    return text


def address(name: str, default: str, *, local: bool) -> str:
    """The address or name of an interface to listen on; by default this machine's own where it is for nobody else."""
    text = word(name, "localhost" if local else default)
    try:
        return sites.interface(text)
    except sites.Misspelt as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def hosts(name: str) -> list[str]:
    """Names that a request's Host may have, as Django's ALLOWED_HOSTS takes them."""
    return _each(name, sites.host)


def origins(name: str) -> list[str]:
    """Exact origins, as browsers spell them: scheme, host and, where it is not the scheme's own, port."""
    return _each(name, sites.origin)


def _each(name: str, read: "sites.Reader") -> list[str]:
    try:
        return [read(item.strip()) for item in word(name).split(",") if item.strip()]
    except sites.Misspelt as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None
