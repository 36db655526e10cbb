"""The API described: for programs as OpenAPI, for people as a page made from the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template

from service.web import problems
from service.web.context import services
from service.web.openapi import Json, build

bp = Blueprint("documents", __name__)

_DOCUMENT = "anteroom.openapi"
_MAX_AGE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation as the page shows it."""

    method: str
    path: str
    operation: Json

    @property
    def anchor(self) -> str:
        """Where on the page it stands."""
        return str(self.operation["operationId"])

    @property
    def answers(self) -> dict[str, Json]:
        """What is answered when nothing is wrong, by status."""
        return {s: answer for s, answer in self._responses.items() if not _is_problem(answer)}

    @property
    def refusals(self) -> list[str]:
        """The problems that may be answered: "404 Not Found"."""
        return [
            f"{status} {answer['description']}"
            for status, answer in self._responses.items()
            if _is_problem(answer)
        ]

    @property
    def _responses(self) -> dict[str, Json]:
        responses: dict[str, Json] = self.operation["responses"]
        return responses


@bp.get("/openapi.json")
def openapi() -> Response:
    """The interface as OpenAPI 3.1."""
    return _cached(jsonify(_document()))


@bp.get("/docs")
def page() -> Response:
    """The interface as a page to read."""
    document = _document()
    sections: dict[str, list[Entry]] = {}
    for entry in _entries(document):
        sections.setdefault(entry.operation["tags"][0], []).append(entry)
    return _cached(
        make_response(
            render_template(
                "docs.html",
                document=document,
                sections=sections,
                problems=problems.kinds(),
            )
        )
    )


def _document() -> Json:
    # Not made at the start: only the first request sees all views in place.
    kept = current_app.extensions
    if _DOCUMENT not in kept:
        kept[_DOCUMENT] = build(current_app, services().settings)
    document: Json = kept[_DOCUMENT]
    return document


def _entries(document: Json) -> Iterator[Entry]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Entry(method.upper(), path, operation)


def _is_problem(answer: Json) -> bool:
    return "application/problem+json" in answer.get("content", ())


def _cached(response: Response) -> Response:
    response.cache_control.public = True
    response.cache_control.max_age = _MAX_AGE_SECONDS
    return response
