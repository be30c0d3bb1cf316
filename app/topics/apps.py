from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TopicsConfig(AppConfig):
    name = "topics"
    verbose_name = "Topics"

    def ready(self) -> None:
        from topics import checks  # noqa: F401  (registers them)

        autodiscover_modules("topics")
