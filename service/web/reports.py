"""Readers' reports of published comments."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field

from service.domain.comment import CommentId
from service.domain.errors import FieldError, InvalidSubmission
from service.domain.site import Caller
from service.web.answers import answer
from service.web.callers import require_site_key, visitor_address
from service.web.context import Services, services
from service.web.openapi import documented
from service.web.schemas import OneLine, Strict, read_json
from service.web.texts import Note

bp = Blueprint("reports", __name__)


class Complaint(StrEnum):
    """What a reader can find wrong with a comment. Codes are part of the API."""

    SPAM = "spam"
    ABUSE = "abuse"
    HATE = "hate"
    THREAT = "threat"
    PERSONAL_DATA = "personal_data"
    OFF_TOPIC = "off_topic"
    ILLEGAL = "illegal"
    OTHER = "other"


class ReportIn(Strict):
    """A reader's report."""

    reason: Annotated[Complaint, Field(strict=False)]
    note: Note = Field("", description="What the reader adds, at most 1,000 characters")
    reader: Annotated[OneLine, Field(min_length=1, max_length=200)] | None = Field(
        None, description="The website's own id of the reader; server key only"
    )


class ReportReceived(BaseModel):
    """That the report arrived, be it the reader's first or not."""

    status: Literal["received"] = "received"


@bp.post("/v1/comments/<uuid:comment_id>/report")
@documented(
    "Report a comment",
    request=ReportIn,
    responses={202: ReportReceived},
    problems=(429,),
    security="site",
    tags=["Reading"],
)
def report(comment_id: UUID) -> Response:
    """Tell the moderators that something is wrong with an approved comment.

    Each reader counts once: by address with a public key, by `reader` with a
    server key. Enough reports send the comment back to review.
    """
    needed = services()
    caller = require_site_key(needed)
    said = read_json(request, ReportIn)
    reporter = _reporter(needed, caller, said.reader)
    needed.limiter.hit("reports", reporter, needed.settings.reports_per_minute)
    needed.moderation.report(
        CommentId(str(comment_id)),
        site_id=caller.site.id,
        reporter=reporter,
        reason=said.reason,
        note=said.note,
    )
    return answer(ReportReceived(), 202)


def _reporter(needed: Services, caller: Caller, reader: str | None) -> str:
    """Return the keyed hash that stands for the reader."""
    if reader and not caller.trusted:
        raise InvalidSubmission([FieldError("/reader", "is taken with a server key only")])
    if not caller.trusted:
        reader = f"address {visitor_address(needed.settings.trusted_proxies)}"
    # A website that does not tell its readers apart is one reader itself.
    return needed.keyring.hash("reporter", f"{caller.site.id}:{reader}")
