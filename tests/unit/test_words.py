"""What people read: every sentence of the code is in every language, and no sentence escapes the catalogues."""

import re
from pathlib import Path

import pytest
from babel.messages import Message
from babel.messages.pofile import read_po
from django.template.base import Lexer, TokenType

import translating
from translating import APP, catalogue, languages, script

DOMAINS = [(language, domain) for language in languages() for domain in ("django", "djangojs")]
OURS = ("accounts", "files", "phone", "rooms", "topics/templates/topics/tokens.html")
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]+>")
TAG = re.compile(r"<[^>]*>|&\w+;")
READ_OUT = re.compile(r"\b(?:aria-label|placeholder|title|alt)=\"([^\"]*)\"")
WORD = re.compile(r"[^\W\d_]{2,}")
TEXT = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`")
SENTENCE = re.compile(r"[A-Z]?[a-z]+[,:]? (?:[a-z]+|\$\{).*|[A-Z][a-z]+(?:…|$)|[a-z]+…$")
GIVEN_TO = re.compile(r"(?:gettext|ngettext)\((?:[^()]|%\(\w+\)s)*$")
MATERIAL = {  # what nobody reads
    *("ArrowDown", "ArrowUp", "Enter", "Escape", "Shift", "Tab", "End", "Home", "Accept"),
    *("state soft", "noopener noreferrer nofollow ugc", "Files"),
    "filename ${base64(this.file.name)},filetype ${base64(this.file.type)}",
    "Former member",  # as the log has it
    *("Notification", "input, textarea, select, [contenteditable]"),
}


def sentences(language: str, domain: str) -> list[Message]:
    return [one for one in read_po(catalogue(language, domain).open("rb")) if one.id]


def said(words: object) -> list[str]:
    return [words] if isinstance(words, str) else list(words)  # type: ignore[call-overload]


@pytest.mark.parametrize(("language", "domain"), DOMAINS)
def test_the_catalogues_have_what_the_code_says(language: str, domain: str) -> None:
    written = catalogue(language, domain).read_text()
    assert written == translating.written(translating.up_to_date(language, domain)), "run `make words`"


@pytest.mark.parametrize("language", languages())
def test_servers_and_browsers_read_what_the_catalogues_have(language: str) -> None:
    words = catalogue(language, "django")
    assert words.with_suffix(".mo").read_bytes() == translating.compiled(words), "run `make words`"
    assert script(language).read_text() == translating.served(language), "run `make words`"


@pytest.mark.parametrize(("language", "domain"), DOMAINS)
def test_every_sentence_is_translated_with_all_that_is_put_into_it(language: str, domain: str) -> None:
    found = sentences(language, domain)
    assert len(found) > 20
    assert [one.id for one in found if not all(said(one.string)) or one.fuzzy] == []
    differ = [
        (one.id, one.string)
        for one in found
        if {frozenset(PLACES.findall(text)) for text in said(one.id)}
        != {frozenset(PLACES.findall(text)) for text in said(one.string)}
    ]
    assert differ == []


def templates() -> list[Path]:
    found = [path for path in APP.rglob("templates/**/*") if path.suffix in {".html", ".txt"}]
    return sorted(path for path in found if str(path.relative_to(APP)).startswith(OURS))


def shown(template: str) -> str:
    """What of a template stands on the page as it is, with what is read out."""
    kept, inside = [], ""
    for token in Lexer(re.sub("<kbd>.*?</kbd>", "", template)).tokenize():  # keys are called what is on them
        if token.token_type is TokenType.BLOCK:
            name = token.split_contents()[0]
            if name in {"blocktranslate", "comment"}:
                inside = f"end{name}"
            elif token.contents == "block page":  # which is a class
                inside = "endblock"
            elif name == inside:
                inside = ""
            kept.append("\x00")
        elif token.token_type is TokenType.TEXT and not inside:
            kept.append(token.contents)
    return TAG.sub(lambda tag: "\n".join(["", *READ_OUT.findall(tag[0]), ""]), "".join(kept))


@pytest.mark.parametrize("template", templates(), ids=lambda path: path.name)
def test_no_word_of_a_template_escapes(template: Path) -> None:
    assert WORD.findall(shown(template.read_text())) == []


def modules() -> list[Path]:
    found = [path for path in APP.rglob("static/**/*.js") if str(path.relative_to(APP)).startswith(OURS)]
    return sorted(path for path in found if path.parent.name != "words")


@pytest.mark.parametrize("module", modules(), ids=lambda path: path.name)
def test_no_sentence_of_a_module_escapes(module: Path) -> None:
    code = re.sub(r"(^|\s)//.*", "", module.read_text())
    found = [
        (match[1] or match[2])
        for match in TEXT.finditer(code)
        if SENTENCE.match(match[1] or match[2] or "") and not GIVEN_TO.search(code[: match.start()])
    ]
    assert [text for text in found if text not in MATERIAL] == []


def test_what_escapes_is_found() -> None:
    for text in ('<p>Not {% translate "this" %}</p>', '<a aria-label="Go on"></a>', '<a title="Go on"></a>'):
        assert WORD.search(shown(text))
    for text in ("Message removed", "sending…", "Save", "and ${number} more", "not sent yet"):
        assert SENTENCE.match(text)


@pytest.mark.parametrize("sheet", sorted(APP.rglob("static/**/*.css")), ids=lambda path: path.name)
def test_a_page_may_be_read_from_right_to_left(sheet: Path) -> None:
    """Where something stands is said by where lines begin and end."""
    sides = r"(?:margin|padding|border)-(?:left|right)|(?:^|[\s;{])(?:left|right):|(?:text-align|float): (?:left|right)"
    assert re.findall(sides, sheet.read_text()) == []
