"""Where imported comments stand in their conversations, none deeper than the site has them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import CommentId, Status
from service.storage.tables import claims, comments

#: The kind of claim that tells which comment of another system one was: a keyed
#: hash, which outlives the content, so that nothing erased comes back.
IMPORT_CLAIM = "import"


class Place(NamedTuple):
    """Where a comment stands in its conversation."""

    id: CommentId
    thread_id: int
    parent_id: CommentId | None
    root_id: CommentId
    depth: int


class Places:
    """The places of comments by the names that they are known by, and of what is above them."""

    def __init__(self, db: Connection, deepest: int, known_as: Iterable[str]) -> None:
        self._db = db
        self._deepest = deepest
        query = (
            sa.select(claims.c.key, *_COLUMNS)
            .join(comments, comments.c.id == claims.c.comment_id)
            .where(claims.c.kind == IMPORT_CLAIM, claims.c.key.in_(known_as))
        )
        self._by_name = {name: Place(*row) for name, *row in db.execute(query)}
        self._by_id = {place.id: place for place in self._by_name.values()}

    def get(self, known_as: str) -> Place | None:
        """Return the place of the comment that is known so."""
        return self._by_name.get(known_as)

    def add(self, known_as: str, place: Place) -> None:
        """Remember the place of a comment that is about to be stored."""
        self._by_name[known_as] = self._by_id[place.id] = place

    def open_for_replies(self, parent: Place | None) -> Place | None:
        """Return the nearest place, this one or one above, that is not too deep for replies.

        None where conversations are but one comment deep.
        """
        while parent and parent.depth >= self._deepest:
            parent = self._read(parent.parent_id) if parent.parent_id else None
        return parent

    def _read(self, comment_id: CommentId) -> Place:
        if comment_id not in self._by_id:
            row = self._db.execute(sa.select(*_COLUMNS).where(comments.c.id == comment_id)).one()
            self._by_id[comment_id] = Place(*row)
        return self._by_id[comment_id]

    def under(self, top: Place, above: Place) -> tuple[list[Place], list[CommentId]]:
        """Return the conversation of `top` as it stands below `above`.

        The second list names those that do not stand below what they answer.
        """
        moved: dict[str, Place] = {}
        raised: list[CommentId] = []
        for place in _conversation(self._db, top):
            over = moved.get(place.parent_id or "", above)
            if over.depth >= self._deepest:
                over = moved.get(over.parent_id or "", above)
                raised.append(place.id)
            moved[place.id] = place._replace(
                parent_id=over.id, root_id=above.root_id, depth=over.depth + 1
            )
        return list(moved.values()), raised


def hang(db: Connection, places: Places, child: Place, parent: Place) -> list[CommentId]:
    """Put a whole conversation under a comment; return what stands higher than it did."""
    above = places.open_for_replies(parent)
    if above is None:
        return [child.id]
    moved, raised = places.under(child, above)
    statement = (
        sa.update(comments)
        .where(comments.c.id == sa.bindparam("moved"))
        .values({name: sa.bindparam(f"new_{name}") for name in _MOVED})
    )
    db.execute(statement, [_moved_row(place) for place in moved])
    return raised if above is parent else [*raised, child.id]


_MOVED = ("parent_id", "root_id", "depth")
_COLUMNS = tuple(comments.c[name] for name in Place._fields)


def _moved_row(place: Place) -> dict[str, Any]:
    return {"moved": place.id} | {f"new_{name}": getattr(place, name) for name in _MOVED}


def _conversation(db: Connection, top: Place) -> list[Place]:
    """Return a comment that stands at the top and all below it, what is answered first."""
    query = (
        sa.select(*_COLUMNS)
        # Every status is named so that the index of threads leads to the root.
        .where(comments.c.thread_id == top.thread_id, comments.c.status.in_(list(Status)))
        .where(comments.c.root_id == top.id)
        .order_by(comments.c.depth)
    )
    return [Place(*row) for row in db.execute(query)]
