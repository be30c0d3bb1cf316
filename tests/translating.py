"""What people read, in every language: from the code into locale/, and from there to servers and browsers.

`make words` brings the catalogues up to date: new sentences come without a translation, which the tests then ask for,
and those that are gone go. Nothing has to be compiled where the site runs: what is made here is part of the repository.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

APP: Final = Path(__file__).parents[1] / "app"
LOCALE: Final = APP / "locale"
KEYWORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
HEADER: Final = "# What the site says. `make words` brings it up to date.\n"


def languages() -> list[str]:
    """All but English, which is what the code has."""
    from django.conf import settings

    return [code for code, _ in settings.LANGUAGES if code != "en"]


def catalogue(language: str, domain: str) -> Path:
    from django.utils.translation import to_locale

    return LOCALE / to_locale(language) / "LC_MESSAGES" / f"{domain}.po"


def script(language: str) -> Path:
    """What the browser reads."""
    return APP / "rooms" / "static" / "rooms" / "words" / f"{language}.js"


# --- From the code ---------------------------------------------------------------------------------------------------


def sources(domain: str) -> Iterator[tuple[str, str, str]]:
    """Path, language of the source and its text; templates as the Python that Django makes of them for this."""
    from django.utils.translation.template import templatize

    kinds = {"django": (".py", ".html", ".txt"), "djangojs": (".js",)}[domain]
    for path in sorted(path for path in APP.rglob("*") if path.suffix in kinds):
        name = str(path.relative_to(APP))
        if name.startswith(("staticfiles/", "rooms/static/rooms/words/")) or "/migrations/" in name:
            continue
        if path.suffix in {".html", ".txt"}:
            if "templates" in path.parts:
                yield name, "python", templatize(path.read_text(), origin=name)
        else:
            yield name, "javascript" if domain == "djangojs" else "python", path.read_text()


def said(domain: str) -> Catalog:
    """Every sentence of the code, with the files that say it."""
    found = Catalog()
    for name, kind, text in sources(domain):
        for _, words, notes, context in extract(kind, io.BytesIO(text.encode()), KEYWORDS, ["Translators:"]):
            found.add(words, locations=[(name, None)], auto_comments=notes, context=context)  # type: ignore[list-item]
    return found


def up_to_date(language: str, domain: str) -> Catalog:
    """The catalogue with every sentence of the code, and none beside. What nobody has translated is empty."""
    path = catalogue(language, domain)
    before = read_po(path.open("rb"), domain=domain) if path.exists() else Catalog()
    after = Catalog(language.replace("-", "_").title().replace("Zh", "zh"), domain, header_comment=HEADER.strip())
    for sentence in said(domain):
        if sentence.id:
            known = before.get(key(sentence), sentence.context)
            words = known.string if known and kind(known) is kind(sentence) else ""
            after[sentence.id] = Message(
                sentence.id,
                words,
                locations=sorted({(name, None) for name, _ in sentence.locations}),  # type: ignore[misc]
                flags=sentence.flags,
                auto_comments=sentence.auto_comments,
                user_comments=known.user_comments if known else (),
                context=sentence.context,
            )
    return after


def key(sentence: Message) -> str:
    return sentence.id if isinstance(sentence.id, str) else sentence.id[0]


def kind(sentence: Message) -> type:
    return str if isinstance(sentence.id, str) else tuple


# --- Into what is read ------------------------------------------------------------------------------------------------


class Bare:
    """A catalogue without anything that changes by itself, such as dates and versions."""

    charset = "utf-8"

    def __init__(self, catalogue: Catalog) -> None:
        self._messages = [message for message in catalogue if message.id]
        plurals = f"nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr};"
        self.header = (
            f"Language: {catalogue.locale}\nContent-Type: text/plain; charset=UTF-8\nPlural-Forms: {plurals}\n"
        )

    def __iter__(self) -> Iterator[Message]:
        yield Message("", self.header)
        yield from self._messages


def written(catalogue: Catalog) -> str:
    text = io.BytesIO()
    write_po(text, catalogue, width=0, omit_header=True, sort_output=True, include_lineno=False)
    lines = "".join(f'"{line}\\n"\n' for line in Bare(catalogue).header.splitlines())
    return f'{HEADER}msgid ""\nmsgstr ""\n{lines}\n{text.getvalue().decode().strip()}\n'


def compiled(path: Path) -> bytes:
    """For Python's gettext."""
    binary, bare = io.BytesIO(), Bare(read_po(path.open("rb")))
    write_mo(binary, bare)  # type: ignore[arg-type]
    return binary.getvalue()


def served(language: str) -> str:
    """For the browser: what Django's view would answer."""
    from django.test import RequestFactory
    from django.utils import translation
    from django.views.i18n import JavaScriptCatalog

    path = catalogue(language, "djangojs")
    with tempfile.TemporaryDirectory() as folder, translation.override(language):
        binary = Path(folder) / path.relative_to(LOCALE).with_suffix(".mo")
        binary.parent.mkdir(parents=True)
        binary.write_bytes(compiled(path))
        view = type("Catalogue", (JavaScriptCatalog,), {"packages": [""], "get_paths": lambda self, packages: [folder]})
        text = view.as_view()(RequestFactory().get("/")).content.decode()
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def main() -> None:
    missing = 0
    for language in languages():
        for domain in ("django", "djangojs"):
            path, words = catalogue(language, domain), up_to_date(language, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written(words))
            missing += sum(1 for sentence in words if sentence.id and not all_words(sentence))
        binary = catalogue(language, "django")
        binary.with_suffix(".mo").write_bytes(compiled(binary))
        script(language).parent.mkdir(exist_ok=True)
        script(language).write_text(served(language))
    if missing:
        where = LOCALE.relative_to(APP.parent)
        sys.exit(f"{missing} sentences in {where} have no translation yet: fill them in, and run this again.")


def all_words(sentence: Message) -> bool:
    return all(sentence.string) if isinstance(sentence.string, (tuple, list)) else bool(sentence.string)


if __name__ == "__main__":
    import os
    import secrets

    import django

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": "sqlite://:memory:",
    }
    django.setup()
    main()
