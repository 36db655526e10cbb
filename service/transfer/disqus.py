"""The XML in which Disqus exports a forum: its threads first, then its posts."""

from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO
from xml.etree.ElementTree import Element

from service.domain.comment import Author, Status, ThreadRef
from service.transfer.aside import Aside
from service.transfer.moments import told_moment
from service.transfer.records import Imported, html_to_text
from service.transfer.sources import Source, number_for
from service.transfer.wxr import ThreadKey
from service.transfer.xml_stream import ended_elements, local_name, texts

_ID = "{http://disqus.com/disqus-internals}id"
_WHOLE = frozenset({"thread", "post"})


def read_disqus(
    file: BinaryIO, thread_key: ThreadKey = "url", source: str = ""
) -> Iterator[Imported]:
    """Yield the comments of an export; threads are known by address or by the site's own id.

    `source` names the forum in place of the name that the file tells.
    """
    forum = Source("disqus", source)
    with closing(Aside()) as threads:
        for name, element in ended_elements(file, "disqus", _WHOLE):
            if name == "forum" and not forum.name:
                forum = Source("disqus", (element.text or "").strip())
            elif name == "thread" and len(element):
                told = _thread(element, thread_key)
                threads.put(element.get(_ID, ""), told.key, told.url, told.title)
            elif name == "post":
                yield _post(element, threads, forum)


def _thread(element: Element, thread_key: ThreadKey) -> ThreadRef:
    told = texts(element)
    url, identifier = told.get("link", "").strip(), told.get("id", "").strip()
    chosen = (url or identifier) if thread_key == "url" else (identifier or url)
    return ThreadRef(chosen or "unknown", url, told.get("title", "").strip())


def _post(element: Element, threads: Aside, forum: Source) -> Imported:
    told = texts(element)
    number = element.get(_ID, "")
    children = {local_name(child): child for child in element}
    author = texts(children["author"]) if "author" in children else {}
    state, status = _state(told)
    parent = children["parent"].get(_ID) if "parent" in children else None
    thread = children["thread"].get(_ID, "") if "thread" in children else ""
    known_by = number or _number_for(told, author, thread)
    return Imported(
        key=forum.key(known_by),
        state=state,
        status=status,
        thread=ThreadRef(*(threads.get(thread) or ["unknown"])),
        author=Author(
            name=author.get("name", ""),
            email=author.get("email", ""),
            url=author.get("link", ""),
            ip=told.get("ipAddress") or None,
        ),
        body=html_to_text(told.get("message", "")),
        created_at=told_moment(told.get("createdAt", "")),
        parent_key=forum.key(parent) if parent else None,
        external_id=forum.external_id(number),
        former_key=forum.former_key(number),
    )


def _number_for(told: dict[str, str], author: dict[str, str], thread: str) -> str:
    written = told.get("createdAt", ""), told.get("message", "")
    return number_for(thread, author.get("name", ""), author.get("email", ""), *written)


def _state(told: dict[str, str]) -> tuple[str, Status]:
    if told.get("isSpam", "").strip() == "true":
        return "spam", Status.SPAM
    if told.get("isDeleted", "").strip() == "true":
        return "deleted", Status.REJECTED
    if told.get("isApproved", "true").strip() == "false":
        return "not approved", Status.HELD
    return "approved", Status.APPROVED
