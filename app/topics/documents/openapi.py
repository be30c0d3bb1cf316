"""OpenAPI 3.1 for topics over plain HTTP."""

from typing import Any, Final

from topics.documents import VERSION
from topics.documents.schemas import reference, schemas
from topics.http import posting, shapes, views
from topics.wording import MAX_NAME

DESCRIPTION: Final = (
    "The same as on a socket, for what has none. Who asks is known by a token or a ticket, or else by the site's"
    " cookies; without any, each request is somebody new. What goes wrong is told as problem details (RFC 9457)."
)
READ: Final = (
    "A page of history. With `members`, who follows the topic now. With `Accept: text/event-stream` the stream of"
    " server-sent events: first `welcome` and `joined`, and a `goodbye` last where the server ends it. The schema is"
    " that of each event."
)
TICKET: Final = (
    "For a page that has neither the site's cookies nor a token: it works once, for a socket or a request. Whoever asks"
    " is logged in or bears a token; a guest and another ticket get none. The body is not read."
)

NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The topic's, such as votes/lunch; its slashes may stand as they are.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
}
WHOLE: Final = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
WHAT_GOES_WRONG: Final = {
    "400": "The request is none.",
    "401": "Log in first.",
    "403": "Not for this person, or not for pages of this origin.",
    "404": "There is no such topic for this person.",
    "405": "Another method.",
    "409": "The id is used for something else, or this is somebody else than who has written it.",
    "413": "The body is too long.",
    "415": "The body is not JSON.",
    "422": "This is no event, or none that the topic takes.",
    "429": "Too often: wait for as long as Retry-After says.",
    "501": "This server is none for topics: a proxy in front sends /topics/ elsewhere.",
    "503": "Not now: ask again, and append again with the same id.",
}
BY_THE_SERVER: Final = {"400", "413", "503"}  # also of what never reaches a topic: a sentence
READING: Final = ("400", "401", "403", "404", "429", "501", "503")
APPENDING: Final = (*READING, "409", "413", "415", "422")
ASKING: Final = ("400", "401", "403", "413", "429", "501", "503")


def document() -> dict[str, Any]:
    answers = (
        *(shapes.Page, shapes.Members, shapes.StreamEvent, *shapes.STREAM_FRAMES),
        *(shapes.Appended, shapes.Results, shapes.Cancelled, shapes.Ticket, shapes.Problem),
    )
    paths = {
        "/topics/{name}": {"parameters": [NAME], "get": get(), "post": post()},
        "/topics/ticket": {"post": ticket()},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Topics over HTTP", "version": VERSION, "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": schemas((*answers, posting.Posted))},
    }


def get() -> dict[str, Any]:
    page = {"anyOf": [reference(shapes.Page), reference(shapes.Members)]}
    stream = reference(shapes.StreamEvent)
    content = {"application/json": {"schema": page}, "text/event-stream": {"schema": stream}}
    return {
        "operationId": "read",
        "summary": "Read a topic, or follow it",
        "description": READ,
        "parameters": [
            query("after", WHOLE, "Events that come after this number."),
            query("before", WHOLE, "Events that come before this number: the last ones."),
            query(
                "limit",
                {**WHOLE, "minimum": 1},
                f"{views.PAGE} events unless told otherwise, {views.LONGEST_PAGE} at most; or {views.MEMBERS} members.",
            ),
            query("members", {"type": "string"}, "Who follows the topic now, instead of a page; any value."),
            query("since", WHOLE, "Of a stream: the last number that is known. With `epoch`."),
            query("epoch", {"type": "string", "maxLength": views.LONGEST_EPOCH}, "Of a stream. With `since`."),
            header("Last-Event-ID", "Of a stream: the last id, which EventSource sends by itself."),
        ],
        "responses": {"200": {"description": "A page, or the stream.", "content": content}, **problems(READING)},
    }


def post() -> dict[str, Any]:
    one = reference(posting.Posted)
    several = {"type": "array", "minItems": 1, "maxItems": posting.MOST_AT_ONCE, "items": one}
    appended, results = reference(shapes.Appended), reference(shapes.Results)
    stopped = reference(shapes.Cancelled)
    return {
        "operationId": "append",
        "summary": "Append an event, or several; or stop one that grows",
        "description": "Answered once all are stored for good. Of several each has its own result.",
        "parameters": [
            header(posting.MEANT, "The `key` of whoever wrote it: it is stored as nobody else's."),
            query("cancel", {"type": "integer", "minimum": 1}, "The number of an event to stop; the body is not read."),
        ],
        "requestBody": {
            "content": {"application/json": {"schema": {"anyOf": [one, several]}}},
        },
        "responses": {
            "200": answer(
                "It was there already, or the topic took it and appended nothing; or a list; or an event is stopped."
            )
            | as_json({"anyOf": [appended, results, stopped]}),
            "201": answer("The event is stored.") | as_json(appended),
            **problems(APPENDING),
        },
    }


def ticket() -> dict[str, Any]:
    return {
        "operationId": "ticket",
        "summary": "Get a ticket",
        "description": TICKET,
        "responses": {
            "201": answer("It is whoever asked for it who comes by it, within the scope of the token.")
            | as_json(reference(shapes.Ticket)),
            **problems(ASKING),
        },
    }


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def answer(description: str) -> dict[str, Any]:
    return {"description": description}


def as_json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def problems(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {status: answer(WHAT_GOES_WRONG[status]) | problem(status) for status in sorted(statuses)}


def problem(status: str) -> dict[str, Any]:
    sentence = {"text/plain": {"schema": {"type": "string"}}} if status in BY_THE_SERVER else {}
    return {"content": {"application/problem+json": {"schema": reference(shapes.Problem)}, **sentence}}
