"""Everything that the environment decides, read once, in the order in which a request meets it.

Every variable X may be given as X_FILE, the path of a file that holds the value. Nothing else in the
project reads the environment. A value that makes no sense ends the process with a sentence that names
the variable.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config.logging import logging_for
from realtime.limits import MAX_BODY_BYTES

env = environ.FileAwareEnv()
APP = Path(__file__).resolve().parent.parent


def word(name: str, default: str = "") -> str:
    """Text as it was given (a `$` in a key is a character of it), without the line end that editors leave in files."""
    try:
        return str(env.ENVIRON.get(name, default)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {error}.") from None


def whole(name: str, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
    """A whole number between least and most."""
    text = word(name, str(default))
    if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def switch(name: str, default: bool) -> bool:
    """1 or 0. Anything else is refused: a typing error must not turn HTTPS off."""
    text = word(name, str(int(default))).lower()
    if text not in {"0", "1", "true", "false", "on", "off", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {text!r}.")
    return text in {"1", "true", "on", "yes"}


def choice(name: str, default: str, options: tuple[str, ...]) -> str:
    text = word(name, default).lower()
    if text not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not {text!r}.")
    return text


def names(name: str) -> list[str]:
    return [item.strip() for item in word(name).split(",") if item.strip()]


def origins(name: str) -> list[str]:
    """Exact origins: scheme, host and, where it is not the scheme's own, port."""
    found = names(name)
    for origin in found:
        try:
            url = urlsplit(origin)
            good = url.scheme in {"http", "https"} and url.hostname and origin == f"{url.scheme}://{url.netloc}"
            _ = url.port
        except ValueError:
            good = False
        if not good or "*" in origin or "@" in origin:
            raise ImproperlyConfigured(f"{name}: {origin!r} is not an origin such as https://example.org.")
    return found


# --- The process and its listeners -------------------------------------------------------------

DEBUG = switch("DEBUG", False)
HOST = word("HOST", "0.0.0.0")
# Which of the three this process is; the servers' own start-up files say so. It decides how connections to
# Postgres are kept: the ASGI role's threads come and go, so it has a pool; gunicorn's stay, so they keep theirs.
ROLE = choice("ROLE", "command", ("asgi", "wsgi", "command"))
PORT = whole("PORT", 8000, 1, 65535)
METRICS_PORT = whole("METRICS_PORT", 0, 0, 65535)
WS_SERVER = choice("WS_SERVER", "daphne", ("daphne", "uvicorn"))
WEB_CONCURRENCY = whole("WEB_CONCURRENCY", 2, 1, 64)
DRAIN_SECONDS = whole("DRAIN_SECONDS", 10, 0, 25)  # Heroku and compose kill after 30

# --- The door: hosts, origins, proxies, TLS ----------------------------------------------------

LOCAL = ["localhost", "127.0.0.1", "[::1]"]
# The second is what Heroku calls the app, where its runtime-dyno-metadata is on.
ALLOWED_HOSTS = names("ALLOWED_HOSTS") or names("HEROKU_APP_DEFAULT_DOMAIN_NAME") or (LOCAL if DEBUG else [])
ALLOWED_ORIGINS = origins("ALLOWED_ORIGINS")
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
PROXY_HOPS = whole("PROXY_HOPS", 0, 0, 1)
HTTPS = switch("HTTPS", True)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

MAX_SOCKETS = whole("MAX_SOCKETS", 10_000, 1)
SOCKETS_PER_ADDRESS = whole("SOCKETS_PER_ADDRESS", 0)
MESSAGE_RATE = whole("MESSAGE_RATE", 50, 1)
MESSAGE_BURST = 2 * MESSAGE_RATE
WS_ECHO = switch("WS_ECHO", False)

# --- Who is asking -----------------------------------------------------------------------------

SECRET_KEY = word("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is missing: set it to 50 or more random characters, for example "
        "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'`."
    )
ALLOW_GUESTS = switch("ALLOW_GUESTS", True)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "lobby"

# --- The site ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "rooms",
    "channels",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "realtime.health.HealthMiddleware",  # before the host check and the redirect: a prober knows neither
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "rooms.middleware.readable_forms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = APP / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.Storage"},
}
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
CSRF_FAILURE_VIEW = "rooms.errors.form_out_of_date"

# --- What lasts --------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if not word("DATABASE_URL"):
    raise ImproperlyConfigured(
        "DATABASE_URL is missing: set it to postgres://user:password@host:5432/name (or sqlite:///path)."
    )
if not word("DATABASE_URL").startswith(("postgres://", "postgresql://", "sqlite://")):
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite://.")
try:
    DATABASES = {"default": env.db_url_config(word("DATABASE_URL"))}
except Exception:  # whose words would show a part of the password
    raise ImproperlyConfigured(
        "DATABASE_URL cannot be read as an address: characters such as / # ? in a password are written %2F %23 %3F."
    ) from None
DATABASE = DATABASES["default"]
DATABASE_SSLMODE = choice("DATABASE_SSLMODE", "prefer", ("disable", "prefer", "require", "verify-ca", "verify-full"))
DATABASE_POOL = whole("DATABASE_POOL", 8, 1, 1000)
if DATABASE.get("ENGINE") == "django.db.backends.postgresql":
    DATABASE["CONN_HEALTH_CHECKS"] = True
    options = DATABASE.setdefault("OPTIONS", {})
    options["connect_timeout"] = 5
    options.setdefault("sslmode", DATABASE_SSLMODE)
    # Whoever acknowledges after COMMIT must know that COMMIT means disk, whatever the server's default.
    options["options"] = "-c synchronous_commit=on"
    if ROLE != "command":  # a migration may take its time; a request or a socket may not
        options["options"] += " -c statement_timeout=10s"
    if ROLE == "asgi":
        options["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5}
    if ROLE == "wsgi":
        DATABASE["CONN_MAX_AGE"] = 600
else:
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }

# --- Between the processes ---------------------------------------------------------------------

REDIS_URL = word("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://")):
    raise ImproperlyConfigured("REDIS_URL must begin with redis:// or rediss:// (or be empty, for one process).")
# Heroku's certificate is self-signed. Always encrypted, and verified where there is an authority to do it by.
REDIS_CA = word("REDIS_CA")
REDIS_TLS: dict[str, str | bool] = {}
if REDIS_URL.startswith("rediss://"):
    REDIS_TLS = {"ssl_ca_data": REDIS_CA} if REDIS_CA else {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL} | REDIS_TLS if REDIS_TLS else REDIS_URL], "prefix": "rooms"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}

# --- What the data services allow (realtime.budget) --------------------------------------------

REPLICAS = whole("REPLICAS", 1, 1, 1000)
DATABASE_CONNECTIONS = whole("DATABASE_CONNECTIONS", 0)
REDIS_CONNECTIONS = whole("REDIS_CONNECTIONS", 0)
# Heroku names every process. There the ASGI server serves the pages too, and no gunicorn runs.
DYNO = word("DYNO")

# --- What it says about itself -----------------------------------------------------------------

LOG_FORMAT = choice("LOG_FORMAT", "json", ("json", "console"))
LOGGING = logging_for(LOG_FORMAT)
SENTRY_DSN = word("SENTRY_DSN")
if SENTRY_DSN:
    import sentry_sdk

    try:
        # Neither bodies, which variables hold too, nor (by default) who somebody is.
        sentry_sdk.init(SENTRY_DSN, max_request_body_size="never", include_local_variables=False)
    except ValueError:
        raise ImproperlyConfigured("SENTRY_DSN is not an address as Sentry gives it.") from None
