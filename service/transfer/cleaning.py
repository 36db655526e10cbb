"""What comes from elsewhere, cut and cleaned so that the record can hold it."""

import re
from dataclasses import replace

from service.domain.comment import (
    MAX_BODY_BYTES,
    MAX_EMAIL_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_THREAD_KEY_CHARACTERS,
    MAX_URL_CHARACTERS,
    Author,
    ThreadRef,
)

#: Control characters but TAB and newline, and what is half of a character.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")


def clean_author(author: Author) -> Author:
    """Return the author with nothing that the record cannot hold."""
    return replace(
        author,
        name=one_line(author.name, MAX_NAME_CHARACTERS),
        email=one_line(author.email, MAX_EMAIL_CHARACTERS),
        url=one_line(author.url, MAX_URL_CHARACTERS),
        ip=author.ip if author.ip and _ADDRESS.fullmatch(author.ip) else None,
        user_agent=one_line(author.user_agent, 512),
        verified_id=one_line(author.verified_id or "", 200) or None,
    )


def clean_thread(thread: ThreadRef) -> ThreadRef:
    """Return the thread with nothing that the record cannot hold."""
    return ThreadRef(
        key=one_line(thread.key, MAX_THREAD_KEY_CHARACTERS) or "unknown",
        url=one_line(thread.url, MAX_URL_CHARACTERS),
        title=one_line(thread.title, 500),
    )


def one_line(text: str, longest: int) -> str:
    """Return the text as one line of at most so many characters."""
    return " ".join(_CONTROL.sub(" ", text).split())[:longest]


def clean_body(body: str) -> str:
    """Return the text with nothing that the record cannot hold."""
    text = _CONTROL.sub(" ", body.replace("\r\n", "\n").replace("\r", "\n"))
    return text.encode()[:MAX_BODY_BYTES].decode(errors="ignore")
