"""Threads as their website sets them: open or closed, and who looks at comments first."""

from datetime import datetime
from typing import Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, Field

from service.domain.errors import ThreadNotFound
from service.domain.site import Thread
from service.storage import database_now
from service.storage.sites import thread_by_key, update_thread
from service.web.callers import require_server_key
from service.web.context import services
from service.web.openapi import documented
from service.web.schemas import Strict, read_json

bp = Blueprint("threads", __name__)


class ThreadChange(Strict):
    """What to change; what is left out stays as it is."""

    closed: bool | None = Field(None, description="Whether the thread takes no more comments")
    moderation: Literal["rules", "all", "site"] | None = Field(
        None, description="Who looks first; `site` follows the site's own setting"
    )


class ThreadSettingsOut(BaseModel):
    """A thread as it stands."""

    id: str = Field(description="What the website calls it, or its normalised URL")
    url: str
    title: str
    closed: bool
    moderation: str | None = Field(description="null where the site's own setting holds")


@bp.patch("/v1/threads/<thread_key:thread>")
@documented(
    "Close a thread, or have every comment looked at",
    request=ThreadChange,
    responses={200: ThreadSettingsOut},
    problems=(404,),
    security="server",
    tags=["Comments"],
)
def change(thread: str) -> Response:
    """Change one of the site's threads. Comments that are there already stay as they are."""
    needed = services()
    caller = require_server_key(needed)
    wanted = read_json(request, ThreadChange)
    with needed.store.write() as db:
        known = thread_by_key(db, caller.site.id, thread)
        if known is None:
            raise ThreadNotFound
        if columns := _columns(wanted, database_now(db)):
            update_thread(db, known.id, **columns)
        changed = thread_by_key(db, caller.site.id, thread)
    assert changed is not None, "it was there in this transaction"
    return jsonify(_as_json(changed))


def _columns(wanted: ThreadChange, now: datetime) -> dict[str, object]:
    columns: dict[str, object] = {}
    if wanted.closed is not None:
        columns["closed_at"] = now if wanted.closed else None
    if wanted.moderation is not None:
        columns["moderation"] = None if wanted.moderation == "site" else wanted.moderation
    return columns


def _as_json(thread: Thread) -> dict[str, object]:
    return {
        "id": thread.key,
        "url": thread.url,
        "title": thread.title,
        "closed": thread.closed_at is not None,
        "moderation": thread.moderation,
    }
