"""The application with what docs/topics.md says, put where it says."""

import re
from pathlib import Path

from first_topic import install
from servers.app import Image

DOCS = (Path(__file__).parents[1] / "docs" / "topics.md").read_text()


def with_first_topic() -> Image:
    """Beside rooms there is the app of the page's first topic."""
    image = Image()
    install(image.app)
    return image


def add_page(image: Image) -> str:
    """A page that follows it by the module of the documentation; its address."""
    [module] = re.findall(r"`app/votes/static/votes/lunch\.js`.*?```js\n(.*?)```", DOCS, re.DOTALL)
    [tag] = re.findall(r"`(<script[^`]*votes/lunch\.js[^`]*)`", DOCS)
    write(image.app / "votes/static/votes/lunch.js", module)
    button = '<ul id="votes"></ul><button id="pizza">pizza</button>'
    write(
        image.app / "votes/templates/lunch.html", f"<!doctype html>{{% load static %}}<title>Lunch</title>{tag}{button}"
    )
    urls = image.app / "config" / "urls.py"
    view = "from django.views.generic import TemplateView\n"
    route = 'urlpatterns += [path("lunch/", TemplateView.as_view(template_name="lunch.html"))]\n'
    urls.write_text(view + urls.read_text() + route)
    return "/lunch/"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
