"""Logging in by a site's own form, as a browser without JavaScript does: for people at a terminal."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Final

from topics.client.dialing import DIAL_SECONDS, is_here
from topics.client.errors import Refused, Unreachable

PAGE: Final = "/accounts/login/"
TOKEN: Final = re.compile(r"""name=["']csrfmiddlewaretoken["'] value=["'](\w+)["']""")


def log_in(url: str, name: str, password: str, page: str = PAGE) -> dict[str, str]:
    """The cookies of somebody who has logged in at the site that serves this socket. Raises Unreachable, Refused."""
    parts = urllib.parse.urlsplit(url)
    origin = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
    jar = CookieJar()
    own = [urllib.request.ProxyHandler({})] if is_here(url) else []
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), NoRedirect(), *own)
    form = {"username": name, "password": password}
    try:
        with browser.open(origin + page, timeout=DIAL_SECONDS) as shown:
            found = TOKEN.search(shown.read().decode(errors="replace"))
        fields = urllib.parse.urlencode({**form, **({"csrfmiddlewaretoken": found[1]} if found else {})})
        request = urllib.request.Request(origin + page, fields.encode(), {"Referer": origin + page, "Origin": origin})
        with browser.open(request, timeout=DIAL_SECONDS) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except OSError as error:
        raise Unreachable("unreachable", f"{origin + page} cannot be reached: {error}.") from error
    if status not in {302, 303}:  # the form is shown again, or something else is wrong
        raise Refused("login_failed", f"{origin + page} does not let {name} in with this password ({status}).")
    return {cookie.name: cookie.value or "" for cookie in jar}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *about: object) -> None:
        """Being sent elsewhere is how a site says that the password is right."""
