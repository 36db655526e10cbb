"""What views share: JSON answers made from models, and typed query strings."""

from typing import TypeVar

from flask import Response, request
from pydantic import BaseModel

from service.web.schemas import validate

ModelT = TypeVar("ModelT", bound=BaseModel)


def answer(model: BaseModel, status: int = 200) -> Response:
    """Return `model` as JSON; times are ISO 8601 in UTC."""
    return Response(model.model_dump_json(), status, mimetype="application/json")


def read_query(model: type[ModelT]) -> ModelT:
    """Return the query string as `model`; raise InvalidSubmission naming every field.

    Empty parameters count as absent, as HTML forms send them so.
    """
    return validate(model, {name: value for name, value in request.args.items() if value != ""})
