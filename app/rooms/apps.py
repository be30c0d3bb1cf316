from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = "Rooms"

    def ready(self) -> None:
        from realtime.budget import connections_fit
        from rooms import before, changes
        from rooms.checks import databases_hold_every_script
        from topics.database import prepare

        register(connections_fit)
        register(databases_hold_every_script, Tags.database)
        connection_created.connect(prepare)
        post_migrate.connect(before.leave, sender=self)
        changes.watch()
