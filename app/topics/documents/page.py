"""What the page at /docs/ shows of the documents: tables of fields, and the words for what a field may hold."""

import json
from typing import Any, NamedTuple

from topics.documents import asyncapi, openapi

Schema = dict[str, Any]


class Field(NamedTuple):
    name: str
    holds: str
    required: bool
    description: str


class Part(NamedTuple):
    """A frame, an answer, or something that these are made of."""

    id: str
    name: str
    summary: str
    fields: list[Field]


class Section(NamedTuple):
    """One side of a protocol, or one method."""

    title: str
    summary: str
    parts: list[Part]
    rows: list[Field]


class Chapter(NamedTuple):
    """One address."""

    title: str
    address: str
    description: str
    sections: list[Section]


def chapters() -> list[Chapter]:
    return [*sockets(asyncapi.document()), *requests(openapi.document())]


def sockets(document: Schema) -> list[Chapter]:
    components = document["components"]
    return [
        Chapter(
            title=channel["title"],
            address=channel["address"],
            description=channel["description"],
            sections=[
                Section(operation["title"], "", [message(last(one), components) for one in operation["messages"]], [])
                for operation in document["operations"].values()
                if last(operation["channel"]) == key
            ],
        )
        for key, channel in document["channels"].items()
    ]


def message(name: str, components: Schema) -> Part:
    found = components["messages"][name]
    fields = fields_of(components["schemas"][last(found["payload"])])
    return Part(name, found["name"], found["summary"], [field for field in fields if field.name != "type"])


def requests(document: Schema) -> list[Chapter]:
    schemas = document["components"]["schemas"]
    made_of = [Part(f"http.{name}", name, plain(schema), fields_of(schema)) for name, schema in schemas.items()]
    methods = [
        method(f"{name.upper()} {address}", path[name])
        for address, path in document["paths"].items()
        for name in ("get", "post")
        if name in path
    ]
    return [
        Chapter(
            title=document["info"]["title"],
            address="/topics/",
            description=document["info"]["description"],
            sections=[*methods, Section("What is sent and answered", "", made_of, [])],
        )
    ]


def method(name: str, operation: Schema) -> Section:
    """Its parameters and its answers."""
    asked = [
        Field(one["name"], f"{holds(one['schema'])}, in the {one['in']}", False, one["description"])
        for one in operation.get("parameters", [])
    ]
    if body := operation.get("requestBody"):
        asked.append(Field("body", content(body), True, ""))
    answers = [
        Field(status, content(answer), True, answer["description"]) for status, answer in operation["responses"].items()
    ]
    return Section(f"{name}: {operation['summary']}", operation["description"], [], asked + answers)


def content(of: Schema) -> str:
    return "; ".join(f"{kind}: {holds(body['schema'])}" for kind, body in of.get("content", {}).items())


def fields_of(schema: Schema) -> list[Field]:
    required = schema.get("required", [])
    return [
        Field(name, holds(field), name in required, field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]


def plain(schema: Schema) -> str:
    return " ".join(schema.get("description", "").split())


def last(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def holds(schema: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return last(schema).rpartition(".")[2].replace("JsonValue", "any JSON")
    if "anyOf" in schema:
        return " or ".join(holds(one) for one in schema["anyOf"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " or ".join(json.dumps(one) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {holds(schema['items'])}"
    return ", ".join([schema.get("type", "any JSON"), *bounds(schema)])


def bounds(schema: Schema) -> list[str]:
    words = [
        ("minimum", "from {}"),
        ("maximum", "up to {}"),
        ("exclusiveMaximum", "below {}"),
        ("minLength", "{} characters or more"),
        ("maxLength", "{} characters at most"),
    ]
    said = [text.format(schema[name]) for name, text in words if name in schema]
    return [*said, *([f"such as {', '.join(schema['examples'])}"] if "examples" in schema else [])]
