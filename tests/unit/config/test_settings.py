"""What the environment may say: alice deploys, and a slip of hers ends in a sentence that names the variable."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from realtime import layers

FILE = Path(__file__).parents[3] / "app" / "config" / "settings.py"
POSTGRES = "postgres://rooms:secret@db:5432/rooms"
KEY = "alices-own-key-of-fifty-random-characters-or-more-4711"
Read = Callable[..., ModuleType]

# What the settings read, but for what a server's own start-up file says.
VARIABLES = set(
    re.findall(
        r'(?:word|whole|switch|choice|key|address|hosts|origins|service|headers|share)\("([A-Z_]+)"', FILE.read_text()
    )
)
VARIABLES.discard("ROLE")


def test_the_least_that_must_be_said_gives_production(read: Read) -> None:
    settings = read()
    assert not settings.DEBUG
    assert settings.ALLOWED_HOSTS == []
    assert settings.SECURE_SSL_REDIRECT
    assert settings.SESSION_COOKIE_SECURE
    assert settings.CSRF_COOKIE_SECURE
    assert settings.SECURE_HSTS_SECONDS > 0
    assert settings.ALLOW_GUESTS
    assert not settings.WS_ECHO
    assert settings.PROXY_HOPS == 0
    assert (settings.PORT, settings.WS_SERVER, settings.DRAIN_SECONDS) == (8000, "daphne", 10)
    assert (settings.MAX_SOCKETS, settings.SOCKETS_PER_ADDRESS) == (10_000, 0)
    assert (settings.MESSAGE_RATE, settings.MESSAGE_BURST) == (50, 100)
    assert (settings.LOG_FORMAT, settings.SENTRY_DSN, settings.REDIS_URL) == ("json", "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "  \n"),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "mysql://a:b@c/d"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://a:b@c:port/d"),
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", "redis"),
        ("SENTRY_DSN", "nonsense"),
        *(("DEBUG", value) for value in ("ture", "2", "")),
        *(("HTTPS", value) for value in ("of", "-1", "None")),
        ("ALLOW_GUESTS", "maybe"),
        ("WS_ECHO", "y"),
        *(("PORT", value) for value in ("", "0", "65536", "80a", "-1", "8_0", "8.0", "٣", "9" * 5_000)),
        *(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", value)
            for value in (
                "collector:4318",
                "grpc://collector:4317",
                "http://",
                "http://a b",
                "http://a:x",
                "http://a?b",
            )
        ),
        *(("OTEL_EXPORTER_OTLP_HEADERS", value) for value in ("secret", "=secret", "a b=c", "a=%0a")),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        *(("OTEL_TRACES_SAMPLER_ARG", value) for value in ("1.1", "-0.1", "1%", "nan", "1e-3")),
        ("METRICS_PORT", "x"),
        ("WEB_CONCURRENCY", "0"),
        ("DRAIN_SECONDS", "30"),
        ("PROXY_HOPS", "2"),
        ("MAX_SOCKETS", "0"),
        ("SOCKETS_PER_ADDRESS", "many"),
        ("MESSAGE_RATE", "0"),
        ("WS_SERVER", "hypercorn"),
        ("LOG_FORMAT", "xml"),
        *(
            ("ALLOWED_ORIGINS", value)
            for value in ("example.org", "https://example.org/", "https://*.example.org", "*")
        ),
        *(
            ("ALLOWED_ORIGINS", value)
            for value in ("https://", "https://a:b", "https://[", "null", "ws://a", "https://u@a")
        ),
        ("ALLOWED_ORIGINS", "https://good.org,bad.org"),
        *(("HOST", value) for value in ("http://0.0.0.0", "0.0.0.0:8000", "every where", "")),
        ("METRICS_PORT", "8000"),
        ("HSTS_SECONDS", "a year"),
        ("REDIS_CA", "/etc/ssl/redis.crt"),
    ],
)
def test_nonsense_is_refused_in_a_sentence_that_names_the_variable(read: Read, name: str, value: str | None) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{name: value})
    sentence = str(refusal.value)
    assert sentence.startswith(name)
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PORT", "ALLOW_GUESTS"])
def test_a_value_beside_a_file_with_another_is_refused(read: Read, tmp_path: Path, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} and {name}_FILE are both set"):
        read(**{name: "1", f"{name}_FILE": str(tmp_path / "file")})


@pytest.mark.parametrize("role", ["asgi", "wsgi", "command"])
def test_postgres_knows_who_asks_unless_the_address_names_him(read: Read, role: str) -> None:
    def name(url: str) -> str:
        options: dict[str, str] = read(DATABASE_URL=url, ROLE=role, ALLOWED_HOSTS="rooms.example.org").DATABASE[
            "OPTIONS"
        ]
        return options["application_name"]

    assert name(POSTGRES) == f"rooms {role}"
    assert name(f"{POSTGRES}?application_name=mine") == "mine"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PORT", "ALLOW_GUESTS"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(read: Read, tmp_path: Path, name: str, content: bytes | None) -> None:
    file = tmp_path / "value"
    if content:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=rf"^{name}_FILE"):
        read(**{name: None, f"{name}_FILE": str(file)})


@pytest.mark.parametrize(
    ("name", "text", "setting"),
    [
        ("SECRET_KEY", KEY, KEY),
        ("PORT", "8001", 8001),
        ("ALLOW_GUESTS", "0", False),
        ("ALLOWED_HOSTS", "a,b", ["a", "b"]),
    ],
)
def test_every_value_may_lie_in_a_file_with_a_line_end(
    read: Read, tmp_path: Path, name: str, text: str, setting: object
) -> None:
    file = tmp_path / "value"
    file.write_text(f"{text}\n")
    assert getattr(read(**{name: None, f"{name}_FILE": str(file)}), name) == setting


@pytest.mark.parametrize("odd", ["$ecret", "\\$x", "a$b", "#%&'\"", "pa ss"])
def test_a_secret_may_consist_of_any_characters(read: Read, odd: str) -> None:
    assert odd + KEY == read(SECRET_KEY=odd + KEY).SECRET_KEY


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("true", True), ("On", True), ("0", False), ("FALSE", False), ("no", False)]
)
def test_a_switch_is_on_or_off(read: Read, text: str, on: bool) -> None:
    assert read(HTTPS=text).HTTPS is on
    assert read(DEBUG=text).DEBUG is on


def test_a_browser_is_told_of_https_for_an_hour_unless_more_is_asked_for(read: Read) -> None:
    settings = read()
    assert settings.SECURE_HSTS_SECONDS == 3600
    assert not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
    assert not settings.SECURE_HSTS_PRELOAD
    more = read(HSTS_SECONDS="31536000", HSTS_SUBDOMAINS="1", HSTS_PRELOAD="1")
    assert (*(31_536_000, True, True),) == (
        more.SECURE_HSTS_SECONDS,
        more.SECURE_HSTS_INCLUDE_SUBDOMAINS,
        more.SECURE_HSTS_PRELOAD,
    )
    assert read(HTTPS="0", HSTS_SECONDS="31536000").SECURE_HSTS_SECONDS == 0


def test_traces_are_made_where_there_is_a_collector(read: Read) -> None:
    off = read(OTEL_TRACES_SAMPLER="always_on")
    assert off.OTEL_EXPORTER_OTLP_ENDPOINT == ""
    assert not [name for name in off.MIDDLEWARE if "tracing" in name]
    address, headers = "https://collector.example:4318", "authorization=Basic%20YQ==, x-team = rooms"
    on = read(
        OTEL_EXPORTER_OTLP_ENDPOINT=address,
        OTEL_EXPORTER_OTLP_HEADERS=headers,
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG=".05",
    )
    assert (address, 0.05) == (on.OTEL_EXPORTER_OTLP_ENDPOINT, on.OTEL_TRACES_SAMPLER_ARG)
    assert on.OTEL_EXPORTER_OTLP_HEADERS == {"authorization": "Basic YQ==", "x-team": "rooms"}
    assert on.MIDDLEWARE.index("config.tracing.requests.Requests") == 1
    assert on.OTEL_SERVICE_NAME == "rooms command"


@pytest.mark.parametrize("seconds", ["3600", "31535999"])
def test_what_the_browsers_own_list_would_refuse_is_refused(read: Read, seconds: str) -> None:
    for subdomains in ("0", "1"):
        with pytest.raises(ImproperlyConfigured, match=r"^HSTS_PRELOAD"):
            read(HSTS_PRELOAD="1", HSTS_SECONDS=seconds, HSTS_SUBDOMAINS=subdomains)


def test_lists_are_separated_by_commas(read: Read) -> None:
    settings = read(ALLOWED_HOSTS=" a.org, b.org ,", ALLOWED_ORIGINS="https://a.org,http://b.org:8080")
    assert settings.ALLOWED_HOSTS == ["a.org", "b.org"]
    assert settings.ALLOWED_ORIGINS == settings.CSRF_TRUSTED_ORIGINS == ["https://a.org", "http://b.org:8080"]


def test_only_while_developing_this_machine_is_a_host_by_itself(read: Read) -> None:
    assert read(DEBUG="1").ALLOWED_HOSTS == ["localhost", "127.0.0.1", "[::1]"]
    assert read(DEBUG="1", ALLOWED_HOSTS="a.org").ALLOWED_HOSTS == ["a.org"]
    assert read(DEBUG="1").HOST == "localhost"
    assert read(DEBUG="1", HOST="0.0.0.0").HOST == read().HOST == "0.0.0.0"


def test_only_while_developing_templates_are_read_anew_for_each_page(read: Read) -> None:
    loaders = {debug: read(DEBUG=debug).TEMPLATES[0]["OPTIONS"]["loaders"] for debug in ("0", "1")}
    assert loaders["0"] == [("django.template.loaders.cached.Loader", loaders["1"])]


@pytest.mark.parametrize("role", ["asgi", "wsgi", "command"])
def test_postgres_acknowledges_only_what_is_on_disk_whatever_the_role(read: Read, role: str) -> None:
    settings = read(ROLE=role, ALLOWED_HOSTS="a.org")
    assert settings.DATABASE_SESSION["synchronous_commit"] == "on"
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"]


def test_each_role_keeps_connections_in_the_way_that_leaks_none(read: Read) -> None:
    asgi, wsgi = (read(ROLE=role, ALLOWED_HOSTS="a.org").DATABASES["default"] for role in ("asgi", "wsgi"))
    assert asgi["OPTIONS"]["pool"]
    assert not asgi.get("CONN_MAX_AGE")
    assert "pool" not in wsgi["OPTIONS"]
    assert wsgi["CONN_MAX_AGE"] > 0


def test_sqlite_stores_as_safely_and_takes_turns(read: Read) -> None:
    options = read(DATABASE_URL="sqlite:////tmp/rooms.db").DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]


def test_without_redis_the_layer_is_in_postgres_and_on_sqlite_in_memory(read: Read) -> None:
    assert read().CHANNEL_LAYERS["default"]["BACKEND"] == layers.IN_POSTGRES
    assert import_string(layers.IN_POSTGRES)
    assert "InMemory" in read(DATABASE_URL="sqlite:////tmp/rooms.db").CHANNEL_LAYERS["default"]["BACKEND"]
    layer = read(REDIS_URL="redis://:p@redis:6379/0").CHANNEL_LAYERS["default"]
    assert "pubsub" in layer["BACKEND"]
    assert layer["CONFIG"]["hosts"] == [{"address": "redis://:p@redis:6379/0"}]


@pytest.mark.parametrize("name", sorted(VARIABLES))
@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_that_docker_keeps_are_named(read: Read, name: str, quote: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is quoted: remove the quotes"):
        read(**{name: f"{quote}1{quote}"})


def test_a_server_without_a_name_does_not_start(read: Read) -> None:
    for role in ("asgi", "wsgi"):
        with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_HOSTS is missing"):
            read(ROLE=role)
        assert read(ROLE=role, DEBUG="1").ALLOWED_HOSTS


def test_the_environment_of_this_process_is_what_is_read_by_default() -> None:
    assert environ.FileAwareEnv().ENVIRON.env is os.environ
