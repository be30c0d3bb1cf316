"""A page tells its browser which topic it shows, and up to where."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError

from topics import Topic, routes
from topics.storing import logs

from .declared import Votes

pytestmark = pytest.mark.django_db

LUNCH = Votes(poll="lunch")


@pytest.fixture(autouse=True)
def forgotten() -> None:
    logs._known.clear()


def shown(handle: Any, tag: str = "{% topic votes %}", **context: Any) -> str:
    page = Template("{% load topics %}<div " + tag + "></div>")
    return page.render(Context({"votes": handle, **context}))


def test_an_element_says_where_the_log_ends() -> None:
    before = LUNCH.position().epoch
    assert shown(LUNCH) == f'<div data-topic="votes/lunch" data-epoch="{before}" data-seq="0"></div>'
    LUNCH.append(1)
    epoch = LUNCH.position().epoch
    assert shown(LUNCH) == f'<div data-topic="votes/lunch" data-epoch="{epoch}" data-seq="1"></div>'


def test_a_position_that_was_read_before_the_tables_is_kept() -> None:
    LUNCH.append(1)
    before = LUNCH.position()
    LUNCH.append(2)
    assert 'data-seq="1"' in shown(LUNCH, "{% topic votes before %}", before=before)


def test_a_large_number_has_no_separators(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    position = LUNCH.position()._replace(seq=1_234_567)
    assert 'data-seq="1234567"' in shown(LUNCH, "{% topic votes position %}", position=position)


def test_what_is_in_a_name_ends_no_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "classes", [])

    class Quoting(Topic):
        route = "q/<str:text>"

    element = shown(Quoting(text="\"'><script>&"))
    assert re.fullmatch(
        r'<div data-topic="q/&quot;&#x27;&gt;&lt;script&gt;&amp;" data-epoch="[0-9a-f]{16}" data-seq="0"></div>',
        element,
    )


@pytest.mark.parametrize("handle", ["votes/lunch", None, ""])
def test_what_is_no_handle_is_refused_with_a_sentence(handle: Any) -> None:
    with pytest.raises(TemplateSyntaxError, match="takes a handle such as"):
        shown(handle)


def test_what_is_no_position_is_refused_with_a_sentence() -> None:
    with pytest.raises(TemplateSyntaxError, match="what position"):
        shown(LUNCH, "{% topic votes 5 %}")


def test_a_name_that_the_view_forgot_is_told(settings: Any) -> None:
    with pytest.raises(TemplateSyntaxError, match="is it in the context"):
        shown(LUNCH, "{% topic vote %}")


def test_what_the_page_of_topics_shows_is_what_comes_out() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "topics.md").read_text()
    [sample] = re.findall(r"```html\n(.*?)```", docs, re.DOTALL)
    [result] = re.findall(r"gives `<ul (.*?)>`", docs)
    LUNCH.append(1)
    page = Template(sample).render(Context({"votes": LUNCH, "position": LUNCH.position()._replace(seq=41)}))
    expected = re.escape(result).replace("…", "[0-9a-f]+")
    assert re.search(f"<ul {expected}>", page)
