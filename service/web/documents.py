"""The API described: for programs as OpenAPI, for people as a page made from the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, render_template

from service.web import problems
from service.web.context import services
from service.web.openapi import Json, build

bp = Blueprint("documents", __name__)

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
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the app, not its proxy
    return _build_once(app)


@lru_cache(maxsize=4)
def _build_once(app: Flask) -> Json:
    return build(app, services().settings)


def _entries(document: Json) -> Iterator[Entry]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Entry(method.upper(), path, operation)


def _cached(response: Response) -> Response:
    response.cache_control.public = True
    response.cache_control.max_age = _MAX_AGE_SECONDS
    return response
