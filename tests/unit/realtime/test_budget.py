"""Alice may not deploy what her plans have no connections for."""

import pytest
from django.conf import LazySettings

from realtime.budget import connections_fit


@pytest.fixture
def heroku(settings: LazySettings) -> LazySettings:
    """One dyno on the small plans."""
    settings.DYNO, settings.REPLICAS, settings.DATABASE_POOL = "release.1", 1, 8
    settings.DATABASE_CONNECTIONS = settings.REDIS_CONNECTIONS = 20
    return settings


def test_one_dyno_fits_the_small_plans_even_while_a_deploy_doubles_it(heroku: LazySettings) -> None:
    assert connections_fit() == []


def test_a_second_dyno_does_not_fit_and_the_sentence_says_by_how_much(heroku: LazySettings) -> None:
    heroku.REPLICAS = 2
    (error,) = connections_fit()
    assert error.msg == "DATABASE_CONNECTIONS is 20, and a deploy may need 34."
    assert error.is_serious()


def test_two_dynos_with_a_smaller_pool_fit(heroku: LazySettings) -> None:
    heroku.REPLICAS, heroku.DATABASE_POOL = 2, 4
    assert connections_fit() == []


def test_redis_has_a_budget_of_its_own(heroku: LazySettings) -> None:
    heroku.REPLICAS, heroku.DATABASE_POOL = 4, 2
    (error,) = connections_fit()
    assert error.msg == "REDIS_CONNECTIONS is 20, and a deploy may need 24."


def test_elsewhere_gunicorns_workers_count_as_well(heroku: LazySettings) -> None:
    heroku.DYNO, heroku.WEB_CONCURRENCY = "", 2
    assert [error.id for error in connections_fit()] == ["realtime.DATABASE_CONNECTIONS"]


def test_without_a_limit_everything_fits(heroku: LazySettings) -> None:
    heroku.REPLICAS, heroku.DATABASE_CONNECTIONS, heroku.REDIS_CONNECTIONS = 1000, 0, 0
    assert connections_fit() == []
