from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules


class TopicsConfig(AppConfig):
    name = "topics"
    verbose_name = "Topics"

    def ready(self) -> None:
        from realtime.budget import connections_fit
        from realtime.deployment import door_fits
        from topics.checks import databases_hold_every_script  # registers the others
        from topics.storing import pool, slow
        from topics.storing.database import prepare
        from topics.who import changes

        register(connections_fit)
        register(door_fits, deploy=True)
        register(databases_hold_every_script, Tags.database)
        connection_created.connect(prepare)
        connection_created.connect(slow.watch)
        pool.watch()
        autodiscover_modules("topics")
        changes.watch()
