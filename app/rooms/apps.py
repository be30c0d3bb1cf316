from django.apps import AppConfig
from django.core.checks import register


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = "Rooms"

    def ready(self) -> None:
        from realtime.budget import connections_fit

        register(connections_fit)
