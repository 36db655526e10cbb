"""Atom feeds of what was approved: of one thread, and of a whole site."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, request

from service.domain.site import Site
from service.storage.reading import FeedComment, newest
from service.web.context import services
from service.web.openapi import documented
from service.web.reading import site_or_404
from service.web.rendering import body_to_html

bp = Blueprint("feeds", __name__)

_ATOM = "http://www.w3.org/2005/Atom"
_MAX_AGE = 60
#: What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

ET.register_namespace("", _ATOM)


@bp.get("/v1/sites/<slug:site>/threads/<thread_key:thread>/feed")
@documented(
    "Follow a thread",
    headers={"If-None-Match": "ETag of an earlier answer"},
    responses={200: None, 304: None},
    tags=["Reading"],
)
def of_thread(site: str, thread: str) -> Response:
    """The newest 50 approved comments of a thread as an Atom feed."""
    known = site_or_404(site)
    with services().store.read() as db:
        found = newest(db, known.id, thread)
    title = (found[0].thread_title if found else "") or thread
    return _answer(known, f"Comments on {title}", found)


@bp.get("/v1/sites/<slug:site>/feed")
@documented(
    "Follow a site",
    headers={"If-None-Match": "ETag of an earlier answer"},
    responses={200: None, 304: None},
    tags=["Reading"],
)
def of_site(site: str) -> Response:
    """The newest 50 approved comments of a whole site as an Atom feed."""
    known = site_or_404(site)
    with services().store.read() as db:
        found = newest(db, known.id)
    return _answer(known, f"Comments on {known.name}", found)


@bp.after_request
def _for_everybody(response: Response) -> Response:
    response.access_control_allow_origin = "*"
    if response.status_code in (200, 304):
        response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE}"
    return response


def _answer(site: Site, title: str, found: Sequence[FeedComment]) -> Response:
    shown = [(comment.id, comment.version) for comment in found]
    etag = hashlib.sha256(repr((title, shown)).encode()).hexdigest()[:32]
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        response = Response(_feed(site, title, found), mimetype="application/atom+xml")
    response.set_etag(etag)
    return response


def _feed(site: Site, title: str, found: Sequence[FeedComment]) -> bytes:
    address = services().settings.base_url + request.path
    feed = ET.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", address)
    _add(feed, "title", title)
    _add(feed, "updated", _moment(max((c.created_at for c in found), default=_NEVER)))
    _add(feed, "link", rel="self", href=address)
    if site.origins:
        _add(feed, "link", rel="alternate", href=site.origins[0])
    for comment in found:
        _add_entry(feed, comment)
    body: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return body


def _add_entry(feed: ET.Element, comment: FeedComment) -> None:
    entry = _add(feed, "entry")
    name = comment.author_name or "Anonymous"
    _add(entry, "id", f"urn:uuid:{comment.id}")
    _add(entry, "title", f"{name} on {comment.thread_title or comment.thread_key}")
    _add(entry, "updated", _moment(comment.created_at))
    author = _add(entry, "author")
    _add(author, "name", name)
    if comment.author_url:
        _add(author, "uri", comment.author_url)
    if comment.thread_url:
        _add(entry, "link", rel="alternate", href=f"{comment.thread_url}#comment-{comment.id}")
    _add(entry, "content", body_to_html(comment.body), type="html")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    clean = {key: _writable(value) for key, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", clean)
    if text:
        element.text = _writable(text)
    return element


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
