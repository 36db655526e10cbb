"""A website's own comments: one with its verdict, and erasing it."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from service.domain.comment import Comment, CommentId
from service.domain.errors import CommentNotFound
from service.storage.comments import comment_by_id, verdict_of
from service.web.answers import answer
from service.web.callers import require_server_key
from service.web.context import services
from service.web.openapi import documented
from service.web.verdicts import VerdictOut

bp = Blueprint("comments", __name__)


class ThreadOut(BaseModel):
    """The page under which a comment stands."""

    id: str = Field(description="What identifies it within its site")
    url: str
    title: str


class AuthorOut(BaseModel):
    """The writer as the website described them."""

    name: str
    email: str | None = Field(description="Null for moderators who may not see addresses")
    url: str
    ip: str | None
    user_agent: str
    referrer: str
    verified_id: str | None
    email_verified: bool


class CommentOut(BaseModel):
    """A comment with everything its site may know of it."""

    id: str
    status: str
    version: int = Field(description="Rises by one with every change of status", ge=1)
    thread: ThreadOut
    parent_id: str | None
    external_id: str | None
    author: AuthorOut
    body: str
    created_at: datetime
    judged_at: datetime | None
    verdict: VerdictOut | None = Field(description="Null until the comment was judged")


@bp.get("/v1/comments/<uuid:comment_id>")
@documented(
    "Read one of your comments",
    responses={200: CommentOut},
    security="server",
    tags=["Comments"],
)
def show(comment_id: UUID) -> Response:
    """Status, version and the whole verdict, whatever became of the comment."""
    needed = services()
    caller = require_server_key(needed)
    wanted = CommentId(str(comment_id))
    with needed.store.read() as db:
        comment = comment_by_id(db, wanted, caller.site.id)
        verdict = verdict_of(db, wanted) if comment else None
    if comment is None:
        raise CommentNotFound
    return answer(CommentOut(**comment_members(comment), verdict=verdict_out(verdict)))


@bp.delete("/v1/comments/<uuid:comment_id>")
@documented(
    "Erase one of your comments",
    responses={204: None},
    security="server",
    tags=["Comments"],
)
def erase(comment_id: UUID) -> Response:
    """Delete everything the comment said, for good; a tombstone stays in the audit log."""
    needed = services()
    caller = require_server_key(needed)
    needed.moderation.erase(
        CommentId(str(comment_id)), site_id=caller.site.id, actor=f"site:{caller.site.slug}"
    )
    return Response(status=204)


def comment_members(comment: Comment, *, addresses: bool = True) -> dict[str, object]:
    """Return what answers about a comment have in common.

    Without `addresses` whatever tells who and where the writer is stays out.
    """
    author = comment.author
    return {
        "id": comment.id,
        "status": comment.status,
        "version": comment.version,
        "thread": ThreadOut(
            id=comment.thread.key, url=comment.thread.url, title=comment.thread.title
        ),
        "parent_id": comment.parent_id,
        "external_id": comment.external_id,
        "author": AuthorOut(
            name=author.name,
            email=author.email if addresses else None,
            url=author.url,
            ip=author.ip if addresses else None,
            user_agent=author.user_agent if addresses else "",
            referrer=author.referrer,
            verified_id=author.verified_id,
            email_verified=author.email_verified,
        ),
        "body": comment.body,
        "created_at": comment.created_at,
        "judged_at": comment.judged_at,
    }


def verdict_out(evidence: dict[str, object] | None) -> VerdictOut | None:
    """Return stored evidence as the API documents it."""
    return VerdictOut.model_validate(evidence) if evidence else None
