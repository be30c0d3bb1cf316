"""What `check --deploy`, and so `make doctor`, says about e-mail."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Warning

NOWHERE: Final = "django.core.mail.backends.console.EmailBackend"


def letters_arrive(app_configs: Sequence[Any] | None = None, **kwargs: object) -> list[CheckMessage]:
    if settings.EMAIL_BACKEND != NOWHERE:
        return []
    return [
        Warning(
            "EMAIL_URL is empty: links by which somebody chooses a new password are written to the log, and whoever "
            "reads that can take the account.",
            hint="Set EMAIL_URL=smtp+tls://user:password@smtp.example.org:587 and DEFAULT_FROM_EMAIL.",
            id="accounts.W001",
        )
    ]
