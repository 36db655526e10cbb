"""Searching in comments' texts and authors' names, in every script alike.

Both databases keep trigrams of the text. They are written by `index_comments`
a moment after the comment, so that nobody who comments waits for them; what is
not indexed yet is found by reading it.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.comment import CommentId
from service.storage import database_now
from service.storage.periods import id_at
from service.storage.tables import comments, searchable

#: Of the comments that match, this many of the newest are looked at further.
MOST_MATCHES = 1_000
#: Shorter texts have no trigram.
_SHORTEST = 3
#: A comment may become visible so much later than its id says.
_SLACK = timedelta(minutes=1)


def index_comments(db: Connection, limit: int) -> int:
    """Index up to `limit` of the oldest comments that are not; return how many."""
    new = (
        sa.select(
            comments.c.id,
            comments.c.author_name + "\n" + comments.c.body,
            comments.c.author_ip_hash,
        )
        .where(_not_indexed(db))
        .order_by(comments.c.id)
        .limit(limit)
    )
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    columns = ["comment_id", "text", "address_hash"]
    rows = [dict(zip(columns, row, strict=True)) for row in db.execute(new)]
    if rows:
        db.execute(insert(searchable).on_conflict_do_nothing(), rows)
    return len(rows)


def index_is_behind(db: Connection) -> bool:
    """Whether there are comments that the index does not know."""
    return bool(db.execute(sa.select(sa.exists().where(_not_indexed(db)))).scalar())


def with_text(db: Connection, text: str) -> ColumnElement[bool]:
    """Return the condition that body or name contain `text`, letters of either case alike."""
    return comments.c.id.in_(_matches(db, text).union_all(_unread(db, _contains(text))))


def contains_text(text: str) -> ColumnElement[bool]:
    """Return the same condition for few comments, found by reading each."""
    return _contains(text)


def from_address(db: Connection, address_hash: str) -> ColumnElement[bool]:
    """Return the condition that a comment came from the address with this keyed hash."""
    known = sa.select(searchable.c.comment_id).where(searchable.c.address_hash == address_hash)
    unread = _unread(db, comments.c.author_ip_hash == address_hash)
    return comments.c.id.in_(known.union_all(unread))


def _matches(db: Connection, text: str) -> sa.Select[tuple[str]]:
    query = sa.select(searchable.c.comment_id)
    if db.dialect.name == "sqlite" and len(text) >= _SHORTEST:
        quoted = '"' + text.replace('"', '""') + '"'
        found = sa.text("SELECT rowid FROM searchable_text WHERE searchable_text MATCH :quoted")
        rowids = found.bindparams(quoted=quoted).columns(sa.column("rowid", sa.Integer))
        query = query.where(searchable.c.id.in_(sa.select(rowids.subquery().c.rowid)))
    else:
        query = query.where(searchable.c.text.icontains(text, autoescape=True))
    newest = query.order_by(searchable.c.id.desc()).limit(MOST_MATCHES).subquery()
    return sa.select(newest.c.comment_id)


def _contains(text: str) -> ColumnElement[bool]:
    columns = (comments.c.body, comments.c.author_name)
    return sa.or_(*(column.icontains(text, autoescape=True) for column in columns))


def _unread(db: Connection, condition: ColumnElement[bool]) -> sa.Select[tuple[str]]:
    """Return a query for the comments that are not in the index yet and fit."""
    return sa.select(comments.c.id).where(_not_indexed(db), condition)


def _not_indexed(db: Connection) -> ColumnElement[bool]:
    """Return the condition that a comment with a text is not in the index yet.

    Only what is newer than the newest one indexed is looked at, and what may
    have been on its way at that time.
    """
    newest = db.execute(sa.select(sa.func.max(searchable.c.id))).scalar()
    known = sa.select(searchable.c.comment_id)
    conditions = [comments.c.body != ""]
    if newest is not None:
        last = CommentId(db.execute(known.where(searchable.c.id == newest)).scalar_one())
        conditions.append(comments.c.id > _a_little_before(db, last))
    conditions.append(comments.c.id.not_in(known.where(searchable.c.comment_id == comments.c.id)))
    return sa.and_(*conditions)


def _a_little_before(db: Connection, comment_id: CommentId) -> CommentId:
    arrived = sa.select(comments.c.created_at).where(comments.c.id == comment_id)
    return id_at((db.execute(arrived).scalar() or database_now(db)) - _SLACK)
