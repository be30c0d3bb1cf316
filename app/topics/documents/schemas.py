"""Models as JSON Schema, each once and by its name, as both kinds of documents have them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

PLACE: Final = "#/components/schemas/"


class WithoutTitles(GenerateJsonSchema):
    """pydantic's titles are the fields' names once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas(models: Sequence[type[BaseModel]], called: Callable[[str], str] = str) -> dict[str, Any]:
    """By name: of the models, and of whatever else they are made of. `called` gives a model's name another form."""
    wanted: Any = [(model, "validation") for model in models]
    template = PLACE + called("{model}")
    _, found = models_json_schema(wanted, ref_template=template, schema_generator=WithoutTitles)
    return {called(name): schema for name, schema in sorted(found["$defs"].items())}


def reference(model: type[BaseModel], called: Callable[[str], str] = str) -> dict[str, str]:
    return {"$ref": PLACE + called(model.__name__)}
