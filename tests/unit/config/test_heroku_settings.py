"""What Heroku says in the environment, and what becomes of it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import certifi
from django.http.request import validate_host

NAME = "rooms-of-alice-0123456789ab.herokuapp.com"
Read = Callable[..., ModuleType]
PEM = Path(certifi.where()).read_text().partition("-----END")[0].partition("-----BEGIN")[2]
PEM = f"-----BEGIN{PEM}-----END CERTIFICATE-----\n"
REDISS = "rediss://:p@redis.example:6379"


def test_the_app_goes_by_the_name_that_heroku_gave_it_unless_told_otherwise(read: Read) -> None:
    assert read(HEROKU_APP_DEFAULT_DOMAIN_NAME=NAME).ALLOWED_HOSTS == [NAME]
    assert read(HEROKU_APP_DEFAULT_DOMAIN_NAME=NAME, ALLOWED_HOSTS="a.org").ALLOWED_HOSTS == ["a.org"]


def test_postgres_without_tls_is_refused_where_that_is_asked_for(read: Read) -> None:
    assert read(DATABASE_SSLMODE="require").DATABASE["OPTIONS"]["sslmode"] == "require"
    both = read(DATABASE_SSLMODE="require", DATABASE_URL="postgres://a:b@c:5432/d?sslmode=verify-full")
    assert both.DATABASE["OPTIONS"]["sslmode"] == "verify-full"


def test_a_self_signed_redis_is_encrypted_and_with_an_authority_verified(read: Read) -> None:
    (host,) = read(REDIS_URL=REDISS).CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert host == {"address": REDISS, "ssl_cert_reqs": "none", "ssl_check_hostname": False}
    (verified,) = read(REDIS_URL=REDISS, REDIS_CA=PEM).CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert verified == {"address": REDISS, "ssl_ca_data": PEM.strip()}


def test_a_redis_without_tls_knows_nothing_of_certificates(read: Read) -> None:
    assert read(REDIS_URL="redis://redis", REDIS_CA=PEM).CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] == [
        {"address": "redis://redis"}
    ]


def test_an_app_made_by_the_button_answers_to_its_name_and_to_no_other_site(read: Read) -> None:
    hosts = read(ALLOWED_HOSTS=".herokuapp.com").ALLOWED_HOSTS
    assert validate_host(NAME, hosts)
    assert not validate_host("herokuapp.com.evil.example", hosts)


def test_behind_the_router_cookies_and_redirects_are_for_https(read: Read) -> None:
    on_heroku = read(HEROKU_APP_DEFAULT_DOMAIN_NAME=NAME, PROXY_HOPS="1", DYNO="web.1")
    assert on_heroku.SECURE_SSL_REDIRECT
    assert on_heroku.SESSION_COOKIE_SECURE
    assert on_heroku.CSRF_COOKIE_SECURE
    assert on_heroku.PROXY_HOPS == 1
