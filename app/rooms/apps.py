from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoomsConfig(AppConfig):
    name = "rooms"
    verbose_name = "Rooms"

    def ready(self) -> None:
        from rooms import before, likeness
        from topics import documents

        post_migrate.connect(before.leave, sender=self)
        likeness.begin(self)
        documents.register("rooms.protocol.ROOMS_V1")
