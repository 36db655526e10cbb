"""The public face: approved comments of a thread, and counts for many threads.

No key is needed and nothing here depends on who asks, so that answers may be
cached and read from any origin.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.routing import BaseConverter

from service.domain.comment import CommentId
from service.domain.errors import ThreadNotFound
from service.domain.site import Site
from service.storage.akismet import NATIVE
from service.storage.reading import EMPTY_PAGE, Page, PublicComment, counts, flat_page, tree_page
from service.storage.sites import site_by_slug, thread_by_key
from service.web.answers import answer, read_query
from service.web.context import services
from service.web.openapi import documented
from service.web.rendering import body_to_html
from service.web.schemas import OneLine, Strict, read_json

bp = Blueprint("reading", __name__)

View = Literal["tree", "flat"]

#: Seconds for which an answer may be served again without asking.
_MAX_AGE = 5

#: Part of every ETag: raise it when the same comments are written differently.
_FORM = "1"

#: Levels of a tree that is written out; more than any site should have, and far
#: fewer than break what writes them.
_DEEPEST = 50


class SlugConverter(BaseConverter):
    """A site's short name within a path."""

    regex = r"[^/\x00]+"


class ThreadKeyConverter(BaseConverter):
    """A thread's key within a path: slashes too, since keys may be URLs."""

    regex = r"[^\x00]+"
    part_isolating = False
    weight = 300


@bp.record_once
def _know_our_paths(state: BlueprintSetupState) -> None:
    converters = {"slug": SlugConverter, "thread_key": ThreadKeyConverter}
    state.app.url_map.converters.update(converters)


class PublicAuthor(BaseModel):
    """What everybody may know of a writer."""

    name: str
    url: str = Field(description="The web address that the author gave, or empty")


class FlatComment(BaseModel):
    """An approved comment."""

    id: str
    parent_id: str | None = Field(
        description="The nearest approved comment above it; null at the top"
    )
    depth: int = Field(description="How deep it was written: 1 at the top", ge=1)
    author: PublicAuthor
    body: str = Field(description="The text as it was written")
    html: str = Field(description="The same as safe HTML: p, br and a elements only")
    created_at: datetime


class ThreadedComment(FlatComment):
    """An approved comment with the approved replies to it."""

    replies: list["ThreadedComment"]


class CommentPage(BaseModel):
    """Some of a thread's approved comments, oldest first."""

    comments: list[ThreadedComment] | list[FlatComment] = Field(
        description="Conversations (view=tree), or comments in order of arrival (view=flat)"
    )
    next: str | None = Field(description="Pass it as `after` for the following page; null: last")
    count: int = Field(description="Approved comments in the whole thread", ge=0)


class PageQuery(BaseModel):
    """Which part of a thread is wanted, and in which shape."""

    model_config = ConfigDict(extra="forbid")

    view: View = Field("tree", description="Replies nested, or all in a row")
    after: str | None = Field(
        None, description="`next` of the page before", pattern=r"^[A-Za-z0-9_-]{22}$"
    )


class CountQuestion(Strict):
    """Threads whose comments should be counted."""

    threads: list[OneLine] = Field(max_length=200, description="Keys of threads")


class Counts(BaseModel):
    """Approved comments by thread; 0 for threads that nobody wrote in."""

    counts: dict[str, int]


@bp.get("/v1/sites/<slug:site>/threads/<thread_key:thread>/comments")
@documented(
    "Read a thread",
    query=PageQuery,
    headers={"If-None-Match": "ETag of an earlier answer"},
    responses={200: CommentPage, 304: None},
    tags=["Reading"],
)
def comments(site: str, thread: str) -> Response:
    """Approved comments of a thread, oldest first, 50 conversations or comments a page.

    A thread that nobody wrote in is empty, not unknown.
    """
    query = read_query(PageQuery)
    page = read_page(site_or_404(site), thread, query.view, opened(query.after))
    etag = _etag(page, query.view)
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        response = answer(_page_model(page, query.view))
    response.set_etag(etag)
    return response


@bp.post("/v1/sites/<slug:site>/counts")
@documented(
    "Count comments of many threads",
    request=CountQuestion,
    responses={200: Counts},
    tags=["Reading"],
)
def count(site: str) -> Response:
    """Approved comments of up to 200 threads at once, for lists of articles."""
    question = read_json(request, CountQuestion)
    known = site_or_404(site)
    with services().store.read() as db:
        return answer(Counts(counts=counts(db, known.id, question.threads)))


@bp.after_request
def _for_everybody(response: Response) -> Response:
    response.access_control_allow_origin = "*"
    response.access_control_allow_headers = ("Content-Type", "If-None-Match")  # type: ignore[assignment]
    response.access_control_expose_headers = ("ETag",)  # type: ignore[assignment]
    if response.status_code in (200, 304) and request.method in ("GET", "HEAD"):
        response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


def site_or_404(slug: str) -> Site:
    """Return the site with that slug; raises ThreadNotFound where there is none."""
    with services().store.read() as db:
        site = site_by_slug(db, slug)
    if site is None:
        raise ThreadNotFound
    return site


def read_page(site: Site, thread_key: str, view: View, after: CommentId | None = None) -> Page:
    """Return a page of the site's thread; an empty one if nobody wrote there."""
    with services().store.read() as db:
        thread = thread_by_key(db, site.id, thread_key)
        if thread is None or thread.source != NATIVE:
            return EMPTY_PAGE
        return (tree_page if view == "tree" else flat_page)(db, thread.id, after)


def threaded(shown: Sequence[PublicComment]) -> list[ThreadedComment]:
    """Return comments as conversations: each under the one it replies to, else at the top."""
    models = {comment.id: ThreadedComment(**_members(comment), replies=[]) for comment in shown}
    under = _under(shown)
    top: list[ThreadedComment] = []
    for comment in shown:
        above = under[comment.id]
        (models[above].replies if above else top).append(models[comment.id])
    return top


def _under(shown: Sequence[PublicComment]) -> dict[CommentId, CommentId | None]:
    """Return what each comment is shown under; none is nested deeper than can be written out."""
    under: dict[CommentId, CommentId | None] = {}
    levels: dict[CommentId, int] = {}
    for comment in sorted(shown, key=lambda comment: comment.depth):
        above = comment.parent_id if comment.parent_id in levels else None
        if above and levels[above] >= _DEEPEST:
            above = under[above]
        under[comment.id] = above
        levels[comment.id] = levels[above] + 1 if above else 1
    return under


def _page_model(page: Page, view: View) -> CommentPage:
    listed = (
        threaded(page.comments)
        if view == "tree"
        else [FlatComment(**_members(comment)) for comment in page.comments]
    )
    return CommentPage(comments=listed, next=sealed(page.next), count=page.count)


def _members(comment: PublicComment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "parent_id": comment.parent_id,
        "depth": comment.depth,
        "author": PublicAuthor(name=comment.author_name, url=comment.author_url),
        "body": comment.body,
        "html": body_to_html(comment.body),
        "created_at": comment.created_at,
    }


def _etag(page: Page, view: View) -> str:
    """Return a tag that changes whenever the answer would.

    Each change of a comment raises its version, so that texts need no hashing,
    and no rendering where the reader has the page already.
    """
    shown = [(comment.id, comment.version, comment.parent_id) for comment in page.comments]
    state = json.dumps([_FORM, view, page.next, page.count, shown])
    return hashlib.sha256(state.encode()).hexdigest()[:32]


def sealed(place: CommentId | None) -> str | None:
    """Return the cursor that leads to `place`: opaque, so that nobody builds on its inside."""
    return urlsafe_b64encode(UUID(place).bytes).rstrip(b"=").decode() if place else None


def opened(cursor: str | None) -> CommentId | None:
    """Return the place that a well-formed cursor leads to."""
    return CommentId(str(UUID(bytes=urlsafe_b64decode(cursor + "==")))) if cursor else None
