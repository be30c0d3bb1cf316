"""Django's `createsuperuser`, which refuses two of its successes: an account without a password, and none at all."""

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management import CommandError


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["interactive"] and not self.stdin.isatty():
            raise CommandError(
                "There is no terminal to ask for a name and a password: "
                "use --noinput --username=NAME --email=ADDRESS with DJANGO_SUPERUSER_PASSWORD set."
            )
        # Django's own variable, which only its command reads.
        if not options["interactive"] and not os.environ.get("DJANGO_SUPERUSER_PASSWORD", "").strip():
            raise CommandError("Nobody could log in without a password: set DJANGO_SUPERUSER_PASSWORD.")
        super().handle(*args, **options)
