"""What Heroku says in the environment, and what becomes of it."""

from collections.abc import Callable
from types import ModuleType

NAME = "rooms-of-alice-0123456789ab.herokuapp.com"
Read = Callable[..., ModuleType]
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
    (verified,) = read(REDIS_URL=REDISS, REDIS_CA="PEM").CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert verified == {"address": REDISS, "ssl_ca_data": "PEM"}


def test_a_redis_without_tls_knows_nothing_of_certificates(read: Read) -> None:
    assert read(REDIS_URL="redis://redis", REDIS_CA="PEM").CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] == [
        "redis://redis"
    ]
