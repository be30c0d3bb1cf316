"""Letters with a link for a new password, sent behind: nobody's request waits for a mail server.

Who asks for one writes a row, and a thread of that process sends what there is. A server that is away or slow is tried
again, by whichever process is asked for one of the account's pages next or still runs; the link is made anew for each
try. The mail server is dialled before anybody looks whether an address is an account's, so that nothing of what can be
seen depends on that.
"""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.template import loader
from django.utils import timezone, translation

from accounts.models import MAX_HOST, Letter

FIRST_PAUSE: Final = timedelta(seconds=30)  # longer than EMAIL_TIMEOUT: meanwhile nobody else sends the same letter
LONGEST_PAUSE: Final = timedelta(minutes=10)
KEPT: Final = timedelta(hours=6)  # who still wants one asks again
LATE: Final = timedelta(seconds=20)
MOST_ACCOUNTS: Final = 5  # of one address
DATABASE_PAUSE: Final = 10.0  # seconds

logger = logging.getLogger(__name__)


class NoAddress(Exception):
    """Nobody knows by which name this site is reached, so a link could lead anywhere."""


def ask(request: HttpRequest, address: str) -> None:
    """Raises NoAddress. A request names the host itself: only names that the operator has given go into a link."""
    host = request.get_host()
    if "*" in settings.ALLOWED_HOSTS or len(host) > MAX_HOST:
        raise NoAddress
    language = translation.get_language() or ""
    Letter.objects.create(address=address, host=host, secure=request.is_secure(), language=language)
    transaction.on_commit(wake)


def go_on() -> None:
    """Sends what a process has left that has ended."""
    if Letter.objects.exists():
        wake()


def are_late() -> bool:
    """Whether letters wait for longer than they should, for whomever they are."""
    return Letter.objects.filter(asked_at__lt=timezone.now() - LATE).exists()


# --- Sending -------------------------------------------------------------------------------------------


class ResetForm(PasswordResetForm):
    """Django's, but for failures: its own are only logged."""

    def __init__(self, server: Any, *args: Any) -> None:
        super().__init__(*args)
        self.server = server

    def get_users(self, email: str) -> Iterator[Any]:
        """Who gives many accounts somebody else's address does not have her mailbox filled by them."""
        return islice(super().get_users(email), MOST_ACCOUNTS)

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        subject = " ".join(loader.render_to_string(subject_template_name, context).split())
        body = loader.render_to_string(email_template_name, context)
        EmailMessage(subject, body, from_email, [to_email], connection=self.server).send()


def send_next() -> float | None:
    """Sends a letter, if one is due. How many seconds until the next one is; None where there are none."""
    letter = _claimed()
    if letter is not None:
        try:
            _send(letter)
        except SMTPRecipientsRefused:
            logger.warning("the mail server does not take a letter for the address that somebody gave")
            letter.delete()
        except (OSError, SMTPException) as error:
            logger.warning("a letter could not be sent, and is tried again: %s", type(error).__name__)
        else:
            letter.delete()
    following = Letter.objects.order_by("next_at").values_list("next_at", flat=True).first()
    return None if following is None else max(0.0, (following - timezone.now()).total_seconds())


def _claimed() -> Letter | None:
    """One that is due, which nobody else takes before it is due again."""
    now = timezone.now()
    if lost := Letter.objects.filter(asked_at__lt=now - KEPT).delete()[0]:
        logger.error("%d letters could not be sent for %d hours, and are given up", lost, KEPT.total_seconds() // 3600)
    with transaction.atomic():
        due = Letter.objects.select_for_update(skip_locked=True).filter(next_at__lte=now)
        letter = due.order_by("next_at").first()
        if letter is not None:
            letter.next_at = now + min(FIRST_PAUSE * 2**letter.tries, LONGEST_PAUSE)
            letter.tries = min(letter.tries + 1, 10)
            letter.save()
    return letter


def _send(letter: Letter) -> None:
    server = get_connection()
    server.open()
    try:
        form = ResetForm(server, {"email": letter.address})
        context: Any = {"hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
        if form.is_valid():
            with translation.override(letter.language or settings.LANGUAGE_CODE):
                form.save(
                    domain_override=letter.host,
                    use_https=letter.secure,
                    subject_template_name="accounts/letter_subject.txt",
                    email_template_name="accounts/letter.txt",
                    extra_email_context=context,
                )
    finally:
        server.close()


# --- Behind --------------------------------------------------------------------------------------------

_starting = threading.Lock()
_wanted = threading.Event()
_thread: threading.Thread | None = None


def wake() -> None:
    """Has this process send what there is to be sent. Waits for nothing."""
    global _thread
    _wanted.set()
    with _starting:
        if _thread is None or not _thread.is_alive():  # a process that was forked has none
            _thread = threading.Thread(target=_run, name="letters", daemon=True)
            _thread.start()


def _run() -> None:
    pause: float | None = 0.0
    while True:
        _wanted.wait(pause)
        _wanted.clear()
        try:
            pause = send_next()
        except DatabaseError as error:
            logger.warning("letters cannot be read just now: %s", error)
            pause = DATABASE_PAUSE
        except Exception:
            logger.exception("letters cannot be sent just now")
            pause = DATABASE_PAUSE
        finally:
            connection.close()
