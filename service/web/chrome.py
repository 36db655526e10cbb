"""What every page of the console has around it: who is signed in, where one can go."""

from typing import Any, TypedDict

from flask import flash, render_template, request

from service.web.login import signed_in


class Conflict(TypedDict):
    """A decision that somebody else was before, to be made after all or left."""

    comment: str
    version: int
    decision: str
    reason: str
    words: str


class Notice(TypedDict, total=False):
    """What the next page tells of the last action.

    With an event, a batch or a version of the rules it can be undone.
    """

    text: str
    alarming: bool
    event: int
    batch: str
    version: int
    comment: str
    conflict: Conflict


def page(template: str, **values: Any) -> str:
    """Return a page of the console."""
    return render_template(template, moderator=signed_in(), **values)


def tell(notice: Notice) -> None:
    """Have the next page say what happened."""
    flash(notice)  # type: ignore[arg-type]  # any JSON value travels


def entered() -> dict[str, Any]:
    """Return the form's fields; those left empty count as absent."""
    return {name: value for name, value in request.form.items() if value != ""}
