"""{% load topics %}<div {% topic votes %}></div>: where the browser's client goes on following."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from topics.events import Position
from topics.topic import Topic

register = template.Library()


@register.simple_tag
def topic(handle: Any, position: Any = None) -> SafeString:
    """The attributes data-topic, data-epoch and data-seq of an element.

    `position` is what handle.position() has returned before the page's tables were read; without it, it is read here.
    """
    if not isinstance(handle, Topic):
        raise template.TemplateSyntaxError(
            f'{{% topic %}} takes a handle such as Votes(poll="lunch"), not {handle!r}: is it in the context?'
        )
    if position is None:
        position = handle.position()
    elif not isinstance(position, Position):
        raise template.TemplateSyntaxError(f"{{% topic %}} takes what position() has returned, not {position!r}.")
    attributes = 'data-topic="{}" data-epoch="{}" data-seq="{}"'
    return format_html(attributes, handle.name, position.epoch, str(position.seq))  # a text: no thousand separators
