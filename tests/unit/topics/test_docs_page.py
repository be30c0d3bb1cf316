"""/docs/: what is spoken, for developers to read. Nobody else finds it."""

from typing import Any

import pytest
from django.test import Client

from contract import document
from topics.documents import page
from topics.documents.page import holds

PATHS = ("/docs/", "/docs/asyncapi.json", "/docs/openapi.json")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_finds_it_in_production(path: str, settings: Any) -> None:
    settings.SHOW_DOCS = False
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_a_project_without_the_setting_shows_it_while_it_is_developed(path: str, settings: Any) -> None:
    del settings.SHOW_DOCS
    assert Client().get(path).status_code == 404
    settings.DEBUG = True
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("name", ["asyncapi", "openapi"])
def test_programs_get_what_lies_in_docs(name: str, settings: Any) -> None:
    settings.SHOW_DOCS = True
    assert Client().get(f"/docs/{name}.json").json() == document(f"{name}.json")


def test_the_page_names_every_frame_and_every_answer(settings: Any) -> None:
    settings.SHOW_DOCS = True
    text = Client().get("/docs/").content.decode()
    for name in document("asyncapi.json")["components"]["messages"]:
        assert f'id="{name}"' in text
    for name in document("openapi.json")["components"]["schemas"]:
        assert f'id="http.{name}"' in text
    assert "GET /topics/{name}: Read a topic, or follow it" in text
    assert "POST /topics/ticket: Get a ticket" in text


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(settings: Any) -> None:
    settings.SHOW_DOCS = True
    text = Client().get("/docs/").content.decode()
    assert "<script" not in text
    assert "style=" not in text
    assert "//" not in text.replace("<!doctype html>", "")


def test_who_posts_is_told_that_this_is_a_page(settings: Any) -> None:
    settings.SHOW_DOCS = True
    assert Client().post("/docs/").status_code == 405


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/topics.server.Person"}, "Person"),
        ({"$ref": "#/components/schemas/topics.server.JsonValue"}, "any JSON"),
        ({"anyOf": [{"$ref": "#/components/schemas/x.Person"}, {"type": "null"}]}, "Person or null"),
        ({"const": True, "type": "boolean"}, "true"),
        ({"enum": ["asked", "forbidden"], "type": "string"}, '"asked" or "forbidden"'),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "string", "minLength": 1, "maxLength": 64}, "string, 1 characters or more, 64 characters at most"),
        ({"type": "integer", "minimum": 0, "exclusiveMaximum": 9}, "integer, from 0, below 9"),
        ({"type": "string", "examples": ["a", "b"]}, "string, such as a, b"),
        ({}, "any JSON"),
    ],
)
def test_what_a_field_holds_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert holds(schema) == words


def test_a_frames_own_type_is_no_field_to_read() -> None:
    topics = next(chapter for chapter in page.chapters() if chapter.title == "topics.v1")
    assert [section.title for section in topics.sections] == ["From the client", "From the server"]
    assert all(field.name != "type" for section in topics.sections for part in section.parts for field in part.fields)
