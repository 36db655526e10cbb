"""The OpenAPI 3.1 document, made from what the views say of themselves.

`documented` notes on a view what it takes and answers; `build` walks the URL
map and turns those notes, and the pydantic models they name, into one
document. A view without a note is not part of the public interface.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Literal, TypeVar

from flask import Flask
from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from service import __version__
from service.settings import Settings

Json = dict[str, Any]
Model = type[BaseModel]
Security = Literal["server", "site", "moderator"]
#: The `$ref` under which a model stands, by direction of use.
Named = Mapping[tuple[Any, JsonSchemaMode], Json]
View = TypeVar("View", bound=Callable[..., Any])

_REF = "#/components/schemas/{model}"
_NOTE = "__openapi__"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a view says of itself."""

    summary: str
    description: str
    request: Model | None = None
    form: bool | Model = False
    query: Model | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    responses: Mapping[int, Model | None] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    security: Security | None = None
    tags: tuple[str, ...] = ()

    @property
    def models(self) -> Iterator[tuple[Model, JsonSchemaMode]]:
        """The models it names, each with the direction in which it is used."""
        taken = (self.request, self.query, self.form)
        yield from ((model, "validation") for model in taken if isinstance(model, type))
        yield from ((model, "serialization") for model in self.responses.values() if model)


def documented(
    summary: str,
    *,
    request: Model | None = None,
    form: bool | Model = False,
    query: Model | None = None,
    headers: Mapping[str, str] | None = None,
    responses: Mapping[int, Model | None],
    problems: Sequence[int] = (),
    security: Security | None = None,
    tags: Sequence[str] = (),
) -> Callable[[View], View]:
    """Note on a view what it takes and answers; its docstring is the description.

    `form` says that the body may also come as a form, with the fields of a
    model if one is given. `headers` are optional request headers with their
    meaning. `responses` maps a status to the model of its JSON, or to None
    where no JSON is sent. `problems` are the statuses of problem documents
    beyond those that the other arguments imply; see `_implied`.
    """

    def note(view: View) -> View:
        operation = Operation(
            summary,
            cleandoc(view.__doc__ or ""),
            request,
            form,
            query,
            headers or {},
            responses,
            tuple(problems),
            security,
            tuple(tags),
        )
        setattr(view, _NOTE, operation)
        return view

    return note


class ProblemError(BaseModel):
    """One thing wrong with one field."""

    pointer: str = Field(description="JSON Pointer to the field", examples=["/author/email"])
    detail: str = Field(description="What is wrong, in plain words")


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field(description="What kind of problem it is, as a URI reference")
    title: str = Field(description="The kind of problem in plain words")
    status: int = Field(description="The HTTP status", ge=400, le=599)
    detail: str | None = Field(None, description="What went wrong this time")
    errors: list[ProblemError] | None = Field(None, description="Every field error at once")


_SECURITY_SCHEMES: Json = {
    "serverKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A site's secret key, `sk_...`. It stays on the website's server.",
    },
    "publicKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A site's public key, `pk_...`. It works from the site's own origins"
        " and only posts.",
    },
    "moderatorToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A moderator's token, `mt_...`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "A moderator who signed in. Changes also need the CSRF token.",
    },
}
_SECURITY: Mapping[Security | None, list[Json]] = {
    "server": [{"serverKey": []}],
    "site": [{"serverKey": []}, {"publicKey": []}],
    "moderator": [{"moderatorToken": []}, {"session": []}],
    None: [],
}

#: What the variable parts of our paths mean.
_PATH_PARAMETERS = {
    "comment_id": "The comment's id",
    "site": "The site's short name",
    "slug": "The site's short name",
    "thread": "The thread's own id at the website, else its normalised URL",
    "number": "The number of a version of the ruleset",
    "trial_id": "The trial's id",
    "token": "The private token of a receipt",
}
_HEADERS: Mapping[int, Mapping[str, str]] = {
    303: {"Location": "Where the browser goes on"},
    401: {"WWW-Authenticate": "How to prove who you are"},
    429: {
        "Retry-After": "Seconds after which to try again",
        "RateLimit": "What is left of the limit that was hit",
        "RateLimit-Policy": "The limit that was hit",
    },
    503: {"Retry-After": "Seconds after which to try again"},
}
_CONVERTER_SCHEMAS: Mapping[str, Json] = {
    "int": {"type": "integer"},
    "uuid": {"type": "string", "format": "uuid"},
}
_TEXT: Json = {"type": "string", "minLength": 1}
#: A variable part of a URL rule: `<converter(arguments):name>` or `<name>`.
_VARIABLE = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")


def build(app: Flask, settings: Settings) -> Json:
    """Return the document of everything that `app` serves and documents."""
    operations = list(_operations(app))
    named, schemas = _schemas(operation for _, _, operation in operations)
    paths: dict[str, Json] = {}
    for rule, method, operation in operations:
        paths.setdefault(path_of(rule), {})[method] = _operation(rule, operation, named, schemas)
    for model in {operation.query for _, _, operation in operations if operation.query}:
        schemas.pop(named[model, "validation"]["$ref"].rpartition("/")[2], None)
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": settings.base_url}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY_SCHEMES},
    }


def path_of(rule: Rule) -> str:
    """Return the rule's path as OpenAPI writes it: `/v1/comments/{comment_id}`."""
    return _VARIABLE.sub(r"{\2}", rule.rule)


def _info() -> Json:
    return {
        "title": "Anteroom",
        "version": __version__,
        "summary": "Comment moderation: comments in, judged, reviewed and read again",
        "description": "A website posts the comments it receives; rules approve or hold each,"
        " people review what was held, and the website reads what was approved. Errors are"
        " problem documents (RFC 9457) that name every wrong field at once.",
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], _NOTE, None)
        if operation is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method.lower(), operation


def _schemas(
    operations: Iterable[Operation],
) -> tuple[Named, dict[str, Json]]:
    wanted: dict[tuple[Model, JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        wanted |= dict.fromkeys(operation.models)
    named, top = models_json_schema(list(wanted), ref_template=_REF)
    return named, top["$defs"]


def _operation(
    rule: Rule,
    operation: Operation,
    named: Named,
    schemas: Mapping[str, Json],
) -> Json:
    parameters = [*_path_parameters(rule), *_header_parameters(operation)]
    if operation.query:
        ref = named[operation.query, "validation"]["$ref"]
        parameters += _query_parameters(schemas[ref.rpartition("/")[2]])
    answer: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": operation.summary,
        "description": operation.description,
        "tags": list(operation.tags),
        "security": _SECURITY[operation.security],
        "parameters": parameters,
        "responses": _responses(rule, operation, named),
    }
    if operation.request or operation.form:
        answer["requestBody"] = {"required": True, "content": _bodies(operation, named)}
    return {key: value for key, value in answer.items() if value != [] or key == "security"}


def _path_parameters(rule: Rule) -> Iterator[Json]:
    for converter, name in _VARIABLE.findall(rule.rule):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS.get(name, name.replace("_", " ").capitalize()),
            "schema": _CONVERTER_SCHEMAS.get(converter, _TEXT),
        }


def _header_parameters(operation: Operation) -> Iterator[Json]:
    for name, meaning in operation.headers.items():
        yield {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}


def _query_parameters(schema: Json) -> Iterator[Json]:
    required = schema.get("required", ())
    for name, shape in schema["properties"].items():
        shape = dict(shape)
        parameter = {"name": name, "in": "query", "required": name in required}
        if name not in required:
            parameter["allowEmptyValue"] = True  # as HTML forms send what was left out
        if description := shape.pop("description", None):
            parameter["description"] = description
        yield parameter | {"schema": shape}


def _bodies(operation: Operation, named: Named) -> Json:
    content: Json = {}
    if operation.request:
        content["application/json"] = {"schema": named[operation.request, "validation"]}
    if operation.form:
        schema: Json = {"type": "object", "additionalProperties": {"type": "string"}}
        if isinstance(operation.form, type):
            schema = named[operation.form, "validation"]
        content["application/x-www-form-urlencoded"] = {"schema": schema}
        content["multipart/form-data"] = {"schema": schema}
    return content


def _responses(rule: Rule, operation: Operation, named: Named) -> Json:
    answers = {
        status: _response(status, operation, named[model, "serialization"] if model else None)
        for status, model in operation.responses.items()
    }
    problem = named[Problem, "serialization"]
    for status in {*_implied(rule, operation), *operation.problems} - set(answers):
        answers[status] = _response(status, operation, problem, "application/problem+json")
    return {str(status): answers[status] for status in sorted(answers)}


def _implied(rule: Rule, operation: Operation) -> Iterator[int]:
    """Yield the problems that any view of this kind may answer with."""
    if rule.rule.startswith("/v1/"):
        yield 503
    if rule.arguments:
        yield 404
    if operation.query:
        yield 422
    if operation.request or operation.form:
        yield from (400, 413, 415, 422)
    if operation.security:
        yield from (401, 403)


def _response(
    status: int, operation: Operation, schema: Json | None, media: str = "application/json"
) -> Json:
    answer: Json = {"description": HTTPStatus(status).phrase}
    if schema is not None:
        answer["content"] = {media: {"schema": schema}}
        if operation.form:
            answer["content"]["text/html"] = {"schema": {"type": "string"}}
    if headers := _HEADERS.get(status):
        answer["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        }
    return answer
