"""Our own export: one comment a line, as JSON, written and read again."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.domain.comment import Author, Status, ThreadRef
from service.storage.akismet import NATIVE
from service.transfer.moments import told_moment
from service.transfer.records import Broken, Imported, LeftOut, Record

_Id = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,200}$")]


class _Line(BaseModel):
    """What a line must tell; whatever else it tells is passed over."""

    model_config = ConfigDict(strict=True)

    id: _Id
    thread: str
    thread_url: str
    thread_title: str
    parent_id: _Id | None
    external_id: str | None
    status: Status
    author_name: str
    author_email: str
    author_url: str
    author_ip: str | None = None
    author_user_agent: str = ""
    author_verified_id: str | None = None
    author_email_verified: bool | None = None
    body: str
    created_at: str
    source: str = NATIVE


def read_lines(file: BinaryIO) -> Iterator[Record]:
    """Yield the comments of an export, and what is none."""
    for number, line in enumerate(file, 1):
        text = line.removeprefix(BOM_UTF8) if number == 1 else line
        if text.strip():
            yield _record(text, number)


def _record(text: bytes, number: int) -> Record:
    try:
        told = _Line.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        member = "".join(f"{part}: " for part in first["loc"])
        return Broken(f"line {number}", f"{member}{first['msg']}")
    if told.source != NATIVE:
        return LeftOut("were only checked for a website that shows them itself")
    return _comment(told)


def _comment(told: _Line) -> Imported:
    return Imported(
        key=f"anteroom:{told.id}",
        state=told.status.value,
        status=told.status,
        thread=ThreadRef(told.thread, told.thread_url, told.thread_title),
        author=Author(
            name=told.author_name,
            email=told.author_email,
            url=told.author_url,
            ip=told.author_ip,
            user_agent=told.author_user_agent,
            verified_id=told.author_verified_id,
            email_verified=bool(told.author_email_verified),
        ),
        body=told.body,
        created_at=told_moment(told.created_at),
        parent_key=f"anteroom:{told.parent_id}" if told.parent_id else None,
        external_id=told.external_id,
    )
