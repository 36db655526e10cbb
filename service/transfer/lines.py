"""Our own export: one comment a line, as JSON, written and read again."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from service.domain.comment import Author, Status, ThreadRef
from service.transfer.moments import told_moment
from service.transfer.records import Imported, Unreadable


def read_lines(file: BinaryIO) -> Iterator[Imported]:
    """Yield the comments of an export; what was only checked for others is passed over."""
    for number, line in enumerate(file, 1):
        try:
            told = json.loads(line)
            if told.get("source", "native") == "native":
                yield _comment(told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"line {number} is no comment ({type(error).__name__})") from error


def _comment(told: dict[str, Any]) -> Imported:
    return Imported(
        key=f"anteroom:{told['id']}",
        state=told["status"],
        status=Status(told["status"]),
        thread=ThreadRef(told["thread"], told["thread_url"], told["thread_title"]),
        author=Author(
            name=told["author_name"],
            email=told["author_email"],
            url=told["author_url"],
            ip=told.get("author_ip"),
            user_agent=told.get("author_user_agent", ""),
            verified_id=told.get("author_verified_id"),
            email_verified=bool(told.get("author_email_verified")),
        ),
        body=told["body"],
        created_at=told_moment(told["created_at"]),
        parent_key=f"anteroom:{told['parent_id']}" if told["parent_id"] else None,
        external_id=told["external_id"],
    )
