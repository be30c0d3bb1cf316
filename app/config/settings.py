"""Everything that the environment decides, read once, in the order in which a request meets it.

Every variable X may be given as X_FILE, the path of a file that holds the value. Nothing else in the
project reads the environment. A value that makes no sense ends the process with a sentence that names
the variable.
"""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import between, services, storing, vapid
from config.environment import address, choice, headers, hosts, key, origins, service, share, switch, whole, word
from config.logging import logging_for
from config.policy import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY
from realtime import limits, redises

APP = Path(__file__).resolve().parent.parent

# --- The process and its listeners -------------------------------------------------------------

DEBUG = switch("DEBUG", False)
HOST = address("HOST", "0.0.0.0", local=DEBUG)
# Which of the four this process is; the servers' own start-up files and manage.py say so. It decides how connections
# to Postgres are kept: the ASGI role's threads come and go, so it has a pool; gunicorn's stay, so they keep theirs.
ROLE = choice("ROLE", "command", ("asgi", "wsgi", "command", "migrate"))
SERVES = ROLE in {"asgi", "wsgi"}
PORT = whole("PORT", 8000, 1, 65535)
METRICS_PORT = whole("METRICS_PORT", 0, 0, 65535)
if METRICS_PORT == PORT:
    raise ImproperlyConfigured(f"METRICS_PORT and PORT are both {PORT}: metrics need a port of their own.")
WS_SERVER = choice("WS_SERVER", "daphne", ("daphne", "uvicorn"))
WEB_CONCURRENCY = whole("WEB_CONCURRENCY", 2, 1, 64)
DRAIN_SECONDS = whole("DRAIN_SECONDS", 10, 0, 25)  # Heroku and compose kill after 30

# --- The door: hosts, origins, proxies, TLS ----------------------------------------------------

PRELOAD_SECONDS = 365 * 24 * 3600  # what the browsers' own list asks for
LOCAL = ["localhost", "127.0.0.1", "[::1]"]
# The second is what Heroku calls the app, where its runtime-dyno-metadata is on.
ALLOWED_HOSTS = hosts("ALLOWED_HOSTS") or hosts("HEROKU_APP_DEFAULT_DOMAIN_NAME") or (LOCAL if DEBUG else [])
if not ALLOWED_HOSTS and SERVES:
    raise ImproperlyConfigured("ALLOWED_HOSTS is missing: set it to the site's host names, such as rooms.example.org.")
ALLOWED_ORIGINS = origins("ALLOWED_ORIGINS")
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
PROXY_HOPS = whole("PROXY_HOPS", 0, 0, 1)
HTTPS = switch("HTTPS", True)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
# A browser that has heard of HSTS cannot be told otherwise before it is over. So it is short, and for this name alone,
# until somebody asks for more; that is what the two silenced checks of `check --deploy` would ask for.
HSTS_SECONDS = whole("HSTS_SECONDS", 3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = switch("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = switch("HSTS_PRELOAD", False)
if SECURE_HSTS_PRELOAD and not (SECURE_HSTS_INCLUDE_SUBDOMAINS and HSTS_SECONDS >= PRELOAD_SECONDS):
    raise ImproperlyConfigured(f"HSTS_PRELOAD needs HSTS_SUBDOMAINS=1 and HSTS_SECONDS={PRELOAD_SECONDS} or more.")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

MAX_SOCKETS = whole("MAX_SOCKETS", 10_000, 1)
SOCKETS_PER_ADDRESS = whole("SOCKETS_PER_ADDRESS", 0)
MESSAGE_RATE = whole("MESSAGE_RATE", 50, 1)
MESSAGE_BURST = limits.BURST_SECONDS * MESSAGE_RATE
FRAME_RATE = limits.FRAMES_PER_MESSAGE * MESSAGE_RATE  # of one socket, frames of every kind; a faster one is read later
MESSAGE_RATE_PER_ADDRESS = whole("MESSAGE_RATE_PER_ADDRESS", 0)
ROOMS_PER_PERSON = whole("ROOMS_PER_PERSON", 20)
ROOMS_PER_ADDRESS = whole("ROOMS_PER_ADDRESS", 100)
BAN_ADDRESS_HOURS = whole("BAN_ADDRESS_HOURS", 24)
WS_ECHO = switch("WS_ECHO", False)
SHOW_DOCS = switch("SHOW_DOCS", False)

# --- Who is asking -----------------------------------------------------------------------------

SECRET_KEY = key("SECRET_KEY", debug=DEBUG)
ALLOW_GUESTS = switch("ALLOW_GUESTS", True)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
# The first refuses unasked what django-axes has counted too much of; see accounts.logins.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
TOPICS_AUTHENTICATION: tuple[str, ...] = ()  # a project's own ways to say who one is; see docs/topics.md
LOGIN_FAILURES = AXES_FAILURE_LIMIT = whole("LOGIN_FAILURES", 10, 1)
LOGIN_FAILURES_PER_ADDRESS = whole("LOGIN_FAILURES_PER_ADDRESS", 100)
AXES_HANDLER = "accounts.logins.Failures"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "username", "ip_address"]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who waits gets in, whatever others try meanwhile
AXES_DISABLE_ACCESS_LOG = True
AXES_CLIENT_IP_CALLABLE = "accounts.logins.address_of"
AXES_USERNAME_CALLABLE = "accounts.logins.account_of"
AXES_LOCKOUT_CALLABLE = "accounts.logins.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]
# Open by default where anybody may talk anyway; with ALLOW_GUESTS=0 somebody else decides who gets an account.
SIGN_UP = switch("SIGN_UP", ALLOW_GUESTS)
SIGN_UPS_PER_ADDRESS = whole("SIGN_UPS_PER_ADDRESS", 20)
RESETS_PER_ADDRESS = whole("RESETS_PER_ADDRESS", 20)
PASSWORD_RESET_TIMEOUT = 3600  # whoever gets hold of the letter later has nothing
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "lobby"

# --- The site ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "phone",
    "accounts",
    "rooms",
    "files",
    "topics",
    "axes",
    "channels",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "realtime.health.HealthMiddleware",  # before the host check and the redirect: a prober knows neither
    "config.loop.LoopMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # before whatever may refuse: it does so in the reader's language
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "rooms.middleware.readable_forms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.logged_in",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            # While DEBUG is on, an edit shows at the next request.
            "loaders": LOADERS if DEBUG else [("django.template.loaders.cached.Loader", LOADERS)],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = APP / "staticfiles"
STORAGE_URL, FILES_BYTES_PER_HOUR = word("STORAGE_URL"), whole("FILES_BYTES_PER_HOUR", 104_857_600)
FILES_MAX_BYTES = whole("FILES_MAX_BYTES", 10_485_760, 0, 2**26)
FILES_PER_MESSAGE, FILES_TYPES = whole("FILES_PER_MESSAGE", 10, 1, 50), storing.types(word("FILES_TYPES"))
STORAGES = {
    "default": storing.storage(STORAGE_URL),
    "staticfiles": {"BACKEND": "config.static.Storage"},
}
LANGUAGE_CODE, LOCALE_PATHS = "en", [APP / "locale"]
LANGUAGES = [("en", "English"), ("zh-hans", "Simplified Chinese")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
TIME_ZONE = "UTC"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = limits.MAX_BODY_BYTES
CSRF_FAILURE_VIEW = "rooms.errors.form_out_of_date"

# --- What lasts --------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_VARIABLE = "DATABASE_URL"
DATABASE = services.database("DATABASE_URL", word("DATABASE_URL"))
# As who owns the tables, where the servers are somebody who may only read and write rows.
if owner_url := word("MIGRATE_DATABASE_URL"):
    owner = services.database("MIGRATE_DATABASE_URL", owner_url)
    if ROLE == "migrate":
        SERVERS_DATABASE = DATABASE
        DATABASE_VARIABLE, DATABASE = "MIGRATE_DATABASE_URL", owner
DATABASES = {"default": DATABASE}
DATABASE_SSLMODE = choice("DATABASE_SSLMODE", "prefer", services.SSL_MODES)
DATABASE_POOL = whole("DATABASE_POOL", 8, 1, 1000)
# What topics.storing.database sets on each new connection. Whoever acknowledges after COMMIT must know that COMMIT
# means disk, whatever the server's default. A migration may take its time; a request or a socket may not.
DATABASE_SESSION: dict[str, str] = {}
if DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["ENGINE"] = "config.postgres"  # the same, but for what becomes of a connection after an error
    DATABASE_SESSION = services.session(DATABASE, timeout=SERVES)
    DATABASE["CONN_HEALTH_CHECKS"] = True
    DATABASE["OPTIONS"].setdefault("sslmode", DATABASE_SSLMODE)
    DATABASE["OPTIONS"].setdefault("application_name", f"rooms {ROLE}")
    if ROLE == "asgi":
        DATABASE["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5}
    if ROLE == "wsgi":
        DATABASE["CONN_MAX_AGE"] = 600
DATABASES |= services.replica("READ_DATABASE_URL", word("READ_DATABASE_URL"), DATABASE)

# --- Between the processes ---------------------------------------------------------------------

REDIS_URL = word("REDIS_URL")
REDIS_HOSTS = between.redis(REDIS_URL, word("REDIS_CA"))
REDIS_PLACE = redises.places(REDIS_HOSTS)  # what may be said of it
LAYERS = between.layers(REDIS_HOSTS)
LAYER = "redis" if REDIS_URL else "postgres" if DATABASE["ENGINE"] == "config.postgres" else "memory"
CHANNEL_LAYERS = {"default": LAYERS[LAYER]}

# --- E-mail ------------------------------------------------------------------------------------

mail = services.mail(word("EMAIL_URL"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = mail.backend, mail.host, mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail.user, mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.starttls, mail.tls
EMAIL_TIMEOUT = 10  # seconds; nobody's request waits for it
DEFAULT_FROM_EMAIL = SERVER_EMAIL = services.sender(word("DEFAULT_FROM_EMAIL"), mail)

# --- Notifications ----------------------------------------------------------------------------
VAPID_KEY, PUSH_PRIVATE = vapid.key(word("VAPID_KEY")), switch("PUSH_PRIVATE", False)
# --- What the data services allow (realtime.budget) --------------------------------------------

REPLICAS = whole("REPLICAS", 1, 1, 1000)
DATABASE_CONNECTIONS = whole("DATABASE_CONNECTIONS", 0)
REDIS_CONNECTIONS = whole("REDIS_CONNECTIONS", 0)
# Heroku names every process. There the ASGI server serves the pages too, and no gunicorn runs.
DYNO = word("DYNO")

# --- What it says about itself -----------------------------------------------------------------

LOG_FORMAT = choice("LOG_FORMAT", "json", ("json", "console"))
LOGGING = logging_for(LOG_FORMAT)
SAMPLERS = tuple(by + root for by in ("", "parentbased_") for root in ("always_on", "always_off", "traceidratio"))
OTEL_EXPORTER_OTLP_ENDPOINT = service("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_EXPORTER_OTLP_HEADERS = headers("OTEL_EXPORTER_OTLP_HEADERS")
OTEL_SERVICE_NAME = word("OTEL_SERVICE_NAME") or f"rooms {ROLE}"
OTEL_TRACES_SAMPLER = choice("OTEL_TRACES_SAMPLER", "parentbased_always_on", SAMPLERS)
OTEL_TRACES_SAMPLER_ARG = share("OTEL_TRACES_SAMPLER_ARG", "1.0")
if OTEL_EXPORTER_OTLP_ENDPOINT:
    MIDDLEWARE.insert(1, "config.tracing.requests.Requests")  # behind the probers'
SENTRY_DSN = word("SENTRY_DSN")
SENTRY_ENVIRONMENT = word("SENTRY_ENVIRONMENT") or ("development" if DEBUG else "production")
SENTRY_RELEASE = word("SENTRY_RELEASE")
if SENTRY_DSN:
    from config import reporting

    reporting.begin(SENTRY_DSN, release=SENTRY_RELEASE, environment=SENTRY_ENVIRONMENT, role=ROLE)
