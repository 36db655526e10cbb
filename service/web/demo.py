"""The demo: an article with comments, as a news site would build it on this service.

Everything on the page is what any website can do from outside: read approved
comments, post a plain HTML form, follow the receipt. Only the calls are made
directly here instead of over HTTP.
"""

import re
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import NotFound

from service.domain.errors import CommentNotFound
from service.domain.site import Site
from service.web.context import services
from service.web.pages import html_errors
from service.web.reading import ThreadedComment, opened, read_page, sealed, threaded
from service.web.receipts import Receipt, opened_receipt

bp = Blueprint("demo", __name__)
html_errors(bp)

THREAD_KEY = "truth-commission-report"
THREAD_TITLE = "“We wrote down every name”: commission presents its report on Sarn Valley"

_RECEIPT = re.compile(r"/v1/receipts/([A-Za-z0-9_-]{20,80})")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """The comment that the form answers."""

    id: str
    name: str


@bp.get("/demo")
def article() -> str:
    """The article, its approved comments, and the form."""
    needed = services()
    site = _site()
    cursor = request.args.get("after", "")
    after = opened(cursor) if _CURSOR.fullmatch(cursor) else None
    page = read_page(site, THREAD_KEY, "tree", after)
    conversations = threaded(page.comments)
    return render_template(
        "demo.html",
        site=site,
        site_key=needed.settings.demo_key,
        thread_id=THREAD_KEY,
        thread_title=THREAD_TITLE,
        thread_url=needed.settings.base_url + url_for("demo.article"),
        comments=conversations,
        count=page.count,
        next=sealed(page.next),
        form_opened_at=needed.clock().isoformat(timespec="seconds"),
        receipt=_receipt(),
        receipt_path=request.args.get("receipt", ""),
        reply_to=_reply_to(conversations),
    )


def _site() -> Site:
    """Return the site whose public key the page posts with."""
    key = services().settings.demo_key
    caller = services().keys.caller(key) if key else None
    if caller is None:
        raise NotFound
    return caller.site


def _receipt() -> Receipt | None:
    """Return what became of the comment that the reader just sent."""
    match = _RECEIPT.fullmatch(request.args.get("receipt", ""))
    try:
        return opened_receipt(match[1]) if match else None
    except CommentNotFound:
        return None


def _reply_to(conversations: list[ThreadedComment]) -> ReplyTo | None:
    """Return the comment that `?reply_to=` names, if it is on this page."""
    wanted = request.args.get("reply_to")
    waiting = list(conversations)
    while wanted and waiting:
        comment = waiting.pop()
        if comment.id == wanted:
            return ReplyTo(comment.id, comment.author.name)
        waiting += comment.replies
    return None
