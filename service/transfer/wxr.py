"""WXR, in which WordPress exports its posts with their comments: read, and written.

Where our own comments are written, what WordPress has no field for stands in
meta fields, so that reading the file again gives the same comments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape as escape_html
from itertools import groupby
from typing import BinaryIO, Literal, TextIO
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from service.domain.clock import utc_now
from service.domain.comment import Author, Comment, Status, ThreadRef
from service.transfer.moments import believed, told_moment
from service.transfer.records import Imported, LeftOut, Record, Unreadable, html_to_text
from service.transfer.sources import Source, number_for, site_name
from service.transfer.xml_stream import ended_elements, local_name, texts

ThreadKey = Literal["url", "id"]

_STATUSES = {
    "1": Status.APPROVED,
    "approve": Status.APPROVED,
    "0": Status.HELD,
    "hold": Status.HELD,
    "spam": Status.SPAM,
    "trash": Status.REJECTED,
    "post-trashed": Status.REJECTED,
}
_STATES = {
    Status.APPROVED: "1",
    Status.HELD: "0",
    Status.PENDING: "0",
    Status.SPAM: "spam",
    Status.REJECTED: "trash",
    Status.WITHDRAWN: "trash",
    Status.ERASED: "trash",
}
_OUR_STATUS, _OUR_ID, _OUR_THREAD = "_anteroom_status", "_anteroom_id", "_anteroom_thread"
_OUR_VERIFIED, _OUR_EXTERNAL = "_anteroom_verified_id", "_anteroom_external_id"
_OUR_AGENT, _OUR_EMAIL_VERIFIED = "_anteroom_user_agent", "_anteroom_email_verified"

#: What everybody reads; the name of a plain comment was empty once.
_KINDS = ("", "comment", "pingback", "trackback")
_OF_POST = ("title", "link", "post_id", "status", "post_password")

#: Read whole; all else of a post goes as soon as it was looked at.
_WHOLE = frozenset({"comment", "postmeta"})


def read_wxr(file: BinaryIO, thread_key: ThreadKey = "url", source: str = "") -> Iterator[Record]:
    """Yield the comments of an export; posts are known by their address or by their number.

    `source` names the website in place of the address that the file tells.
    """
    website = Source("wxr", source)
    post = _Post()
    is_export = False
    for name, element in ended_elements(file, "rss", _WHOLE):
        if name in _OF_POST:
            post.told[name] = (element.text or "").strip()
        elif name in ("base_site_url", "base_blog_url") and not source:
            # The blog's own comes second, and is another where many blogs are one site.
            website = Source("wxr", site_name(element.text or "") or website.name)
        elif name == "postmeta":
            meta = texts(element)
            if meta.get("meta_key") == _OUR_THREAD:
                post.told["key"] = meta.get("meta_value", "")
        elif name == "comment":
            yield _record(element, post, post.thread(thread_key), website)
        elif name == "item":
            post = _Post()
        is_export = is_export or name in ("wxr_version", "comment")
    if not is_export:
        raise Unreadable("it is a feed: <wp:wxr_version> is expected in what WordPress exports")


def write_wxr(comments: Iterable[Comment], output: TextIO, title: str) -> int:
    """Write comments as WordPress imports them; return how many.

    One thread comes after the other, and in each a comment before the replies to it.
    """
    count = 0
    output.write(_HEAD.format(title=_text(title)))
    threads = groupby(comments, key=lambda comment: comment.thread_id)
    for number, (_, group) in enumerate(threads, 1):
        numbers: dict[str, int] = {}
        for comment in group:
            if not numbers:
                output.write(_item_head(comment.thread, number))
            count += 1
            numbers[comment.id] = count
            output.write(_comment_xml(comment, count, numbers.get(comment.parent_id or "", 0)))
        output.write("</item>\n")
    output.write("</channel>\n</rss>\n")
    return count


@dataclass(slots=True)
class _Post:
    """What is known of a post so far; `ours` are the keys of comments that we wrote, by number."""

    told: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)

    def thread(self, thread_key: ThreadKey) -> ThreadRef:
        """Return the thread that the post's comments belong to."""
        url, number = self.told.get("link", ""), self.told.get("post_id", "")
        chosen = (url or number) if thread_key == "url" else (number or url)
        return ThreadRef(
            self.told.get("key") or chosen or "unknown", url, self.told.get("title", "")
        )

    @property
    def hidden(self) -> str:
        """Why its comments are not for everybody, or empty."""
        status = self.told.get("status", "")
        if status not in ("", "publish"):
            return f"{status} post"
        return "post with password" if self.told.get("post_password") else ""


def _record(element: Element, post: _Post, thread: ThreadRef, website: Source) -> Record:
    told = texts(element)
    kind = told.get("comment_type", "").strip()
    if kind not in _KINDS:
        # Plug-ins keep all sorts of things as comments, a shop's private notes among them.
        return LeftOut(f"are of type {kind}")
    return _comment(told, _meta(element), post, thread, website)


def _comment(
    told: dict[str, str], meta: dict[str, str], post: _Post, thread: ThreadRef, website: Source
) -> Imported:
    state, status = _state(told, meta, post)
    number, parent = told.get("comment_id", "").strip(), told.get("comment_parent", "0").strip()
    key = website.key(number or _number_for(told, thread))
    if meta.get(_OUR_ID):
        key = post.ours[number] = f"anteroom:{meta[_OUR_ID]}"
    return Imported(
        key=key,
        state=state,
        status=status,
        thread=thread,
        author=Author(
            name=told.get("comment_author", ""),
            email=told.get("comment_author_email", ""),
            url=told.get("comment_author_url", ""),
            ip=told.get("comment_author_IP") or None,
            user_agent=meta.get(_OUR_AGENT, ""),
            verified_id=meta.get(_OUR_VERIFIED) or None,
            email_verified=bool(meta.get(_OUR_EMAIL_VERIFIED)),
        ),
        body=html_to_text(told.get("comment_content", "")),
        created_at=_moment(told),
        parent_key=None if parent in ("", "0") else post.ours.get(parent, website.key(parent)),
        external_id=meta.get(_OUR_EXTERNAL)
        or (None if meta.get(_OUR_ID) else website.external_id(number)),
        former_key=None if meta.get(_OUR_ID) else website.former_key(number),
    )


def _number_for(told: dict[str, str], thread: ThreadRef) -> str:
    names = ("comment_author", "comment_author_email", "comment_date", "comment_content")
    return number_for(thread.key, *(told.get(name, "") for name in names))


def _state(told: dict[str, str], meta: dict[str, str], post: _Post) -> tuple[str, Status]:
    """Return what WordPress calls the state, and where the comment stands here."""
    state, kind = told.get("comment_approved", "").strip(), told.get("comment_type", "").strip()
    # What no WordPress knows of must not appear unseen.
    status = _STATUSES.get(state, Status.HELD)
    if meta.get(_OUR_STATUS):
        state = meta[_OUR_STATUS]
        status = Status(state) if state in set(Status) else Status.HELD
    if status is Status.APPROVED and post.hidden:
        return f"{state} ({post.hidden})", Status.HELD
    return (state if kind in ("", "comment") else f"{state} ({kind})"), status


def _meta(element: Element) -> dict[str, str]:
    pairs = [texts(child) for child in element if local_name(child) == "commentmeta"]
    return {pair.get("meta_key", ""): pair.get("meta_value", "") for pair in pairs}


def _moment(told: dict[str, str]) -> datetime | None:
    """Return when it was written: WordPress leaves the time in UTC of some comments empty."""
    now = utc_now()
    told_times = (told_moment(told.get(name, "")) for name in ("comment_date_gmt", "comment_date"))
    return next((time for time in told_times if believed(time, now)), None)


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>{title}</title>
<wp:wxr_version>1.2</wp:wxr_version>
"""


def _item_head(thread: ThreadRef, number: int) -> str:
    return (
        f"<item>\n<title>{_text(thread.title or thread.key)}</title>\n"
        f"<link>{_text(thread.url)}</link>\n"
        f"<wp:post_id>{number}</wp:post_id>\n<wp:post_type>post</wp:post_type>\n"
        "<wp:status>publish</wp:status>\n"
        f"{_meta_xml('wp:postmeta', _OUR_THREAD, thread.key)}"
    )


def _comment_xml(comment: Comment, number: int, parent: int) -> str:
    author, fields = comment.author, ""
    created = comment.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    for name, value in (
        ("comment_id", str(number)),
        ("comment_author", author.name),
        ("comment_author_email", author.email),
        ("comment_author_url", author.url),
        ("comment_author_IP", author.ip or ""),
        ("comment_date", created),
        ("comment_date_gmt", created),
        ("comment_content", escape_html(comment.body, quote=False)),
        ("comment_approved", _STATES[comment.status]),
        ("comment_type", "comment"),
        ("comment_parent", str(parent)),
        ("comment_user_id", "0"),
    ):
        fields += f"<wp:{name}>{_text(value)}</wp:{name}>\n"
    meta = {_OUR_ID: comment.id, _OUR_STATUS: comment.status.value}
    meta[_OUR_VERIFIED] = author.verified_id or ""
    meta[_OUR_EXTERNAL] = comment.external_id or ""
    meta[_OUR_AGENT] = author.user_agent
    meta[_OUR_EMAIL_VERIFIED] = "1" if author.email_verified else ""
    told = [_meta_xml("wp:commentmeta", key, value) for key, value in meta.items() if value]
    fields += "".join(told)
    return f"<wp:comment>\n{fields}</wp:comment>\n"


def _meta_xml(element: str, key: str, value: str) -> str:
    return (
        f"<{element}><wp:meta_key>{_text(key)}</wp:meta_key>"
        f"<wp:meta_value>{_text(value)}</wp:meta_value></{element}>\n"
    )


def _text(value: str) -> str:
    """Return text as XML holds it; a carriage return would come back as a line feed."""
    return escape("".join(map(_writable, value)), {"\r": "&#13;"})


def _writable(character: str) -> str:
    code = ord(character)
    if code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF:
        return character
    return "\N{REPLACEMENT CHARACTER}"
