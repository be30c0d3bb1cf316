from django.apps import AppConfig


class PhoneConfig(AppConfig):
    name = "phone"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from phone import subscriptions

        subscriptions.watch()
