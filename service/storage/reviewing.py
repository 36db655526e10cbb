"""What moderators look at: the review queue, its counts, and authors' histories."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select

from service.domain.comment import Comment, CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.domain.lane import Lane
from service.storage.comments import row_to_comment, select_comments, verdicts_of
from service.storage.lanes import Order, Place, in_lane, order_of
from service.storage.searching import contains_text, from_address, with_text
from service.storage.tables import comments, events, hits, link_domains, sites, threads


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which comments to list; None asks nothing.

    `sites` are those that whoever asks may see. `site` is a slug, `thread` the
    site's own key of it. `author` is a whole verified id or a part of a name,
    `email_hash` the keyed hash of a whole address, `text` a part of the body or
    of the name, `address_hash` the keyed hash of an IP address. `claimed` are
    the comments that somebody has open: only those, or all but those.
    `same_text` and `same_author` name a comment that the others are like.
    """

    sites: frozenset[SiteId] | None = None
    status: Status | None = None
    category: str | None = None
    rule: str | None = None
    site: str | None = None
    thread: str | None = None
    author: str | None = None
    email_hash: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    text: str | None = None
    address_hash: str | None = None
    lane: Lane | None = None
    language: str | None = None
    campaign: str | None = None
    domain: str | None = None
    same_text: CommentId | None = None
    same_author: CommentId | None = None
    claimed: frozenset[CommentId] | None = None
    unclaimed: frozenset[CommentId] | None = None


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A comment as moderators see it; `evidence` is the newest verdict, None before it.

    `campaign` is what it shares with nearly the same comments, if there are any.
    """

    comment: Comment
    severity: int
    evidence: dict[str, Any] | None
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of the review queue; `next` is None on the last one."""

    items: list[ReviewItem]
    next: Place | None


@dataclass(frozen=True, slots=True)
class RowHit:
    """A live rule that matched; a needed one is decisive."""

    rule: str
    category: str
    needed: bool


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A comment in short: `excerpt` is the beginning of its text, `hits` its live reasons."""

    id: CommentId
    status: Status
    severity: int
    author_name: str
    excerpt: str
    created_at: datetime
    decided_at: datetime | None
    report_count: int
    site_slug: str
    thread_title: str
    campaign: str | None
    hits: Sequence[RowHit]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of short rows; `next` is None on the last one."""

    rows: list[QueueRow]
    next: Place | None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many comments have a status, and when the oldest of them came."""

    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuthorRecord:
    """What is known under one identity: comments by status, and the first one's time.

    `place` tells the how-manieth of them the comment is that was asked about.
    """

    by_status: Mapping[Status, int]
    first_seen: datetime
    place: int

    @property
    def total(self) -> int:
        """How many comments there are under this identity."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class AuthorHistory:
    """An author's comments on this site, the one looked at included.

    `proven` are those under the identity that the website vouches for,
    `claimed` those that merely carry the same e-mail address, which anybody
    can type. None where the comment has no such identity.
    """

    proven: AuthorRecord | None
    claimed: AuthorRecord | None


def review_list(
    db: Connection, wanted: ReviewFilter, *, limit: int, after: Place | None = None
) -> ReviewPage:
    """Return comments to review: worst first, then oldest first."""
    order = order_of(wanted.lane)
    query = select_comments().where(*_conditions(db, wanted), *_behind(order, after))
    rows = db.execute(order.sort(query).limit(limit + 1)).all()
    following = order.place(rows[limit - 1]) if len(rows) > limit else None
    return ReviewPage(_items(db, rows[:limit]), following)


def queue_rows(
    db: Connection, wanted: ReviewFilter, *, limit: int, after: Place | None = None
) -> QueuePage:
    """Return the same as short rows, for a list to choose from."""
    order = order_of(wanted.lane)
    query = _ROWS.where(*_conditions(db, wanted), *_behind(order, after))
    rows = db.execute(order.sort(query).limit(limit + 1)).all()
    following = order.place(rows[limit - 1]) if len(rows) > limit else None
    return QueuePage(_queue_rows(db, rows[:limit]), following)


def rows_by_id(
    db: Connection, ids: Sequence[CommentId], sites: frozenset[SiteId] | None = None
) -> list[QueueRow]:
    """Return these comments as short rows, oldest first; those of other sites are left out."""
    query: Select[Any] = _ROWS.where(comments.c.id.in_(ids), *on_sites(sites))
    query = query.order_by(comments.c.id)
    return _queue_rows(db, db.execute(query).all())


def matching_ids(db: Connection, wanted: ReviewFilter, *, limit: int) -> list[CommentId]:
    """Return the first ids that fit the filter, in its order."""
    query = sa.select(comments.c.id).select_from(_JOINED).where(*_conditions(db, wanted))
    rows = db.execute(order_of(wanted.lane).sort(query).limit(limit))
    return [CommentId(row.id) for row in rows]


def review_item(
    db: Connection, comment_id: CommentId, sites: frozenset[SiteId] | None = None
) -> ReviewItem | None:
    """Return one comment as moderators of `sites` see it; None where they see none."""
    query = select_comments().where(comments.c.id == comment_id, *on_sites(sites))
    items = _items(db, db.execute(query).all())
    return items[0] if items else None


def decisions_since(db: Connection, actor: str, now: datetime, seconds: int) -> int:
    """Return how many decisions the person made within the last `seconds`."""
    query = sa.select(sa.func.count()).where(
        events.c.actor == actor,
        events.c.at >= now - timedelta(seconds=seconds),
        sa.text("events.kind IN ('decision', 'undo')"),
        events.c.kind == EventKind.DECISION,
    )
    return db.execute(query).scalar_one()


def live_categories(db: Connection, comment_id: CommentId) -> set[str]:
    """Return the categories in which live rules matched the comment."""
    live = hits.c.comment_id == comment_id, hits.c.mode == "live"
    query = sa.select(hits.c.category).where(*live).distinct()
    return set(db.scalars(query))


def rules_known(db: Connection) -> list[str]:
    """Return the rules that ever matched anything, by name.

    Jumps from one rule to the next along the index: there are few of them, and
    many hits.
    """
    known: list[str] = []
    following = sa.select(sa.func.min(hits.c.rule))
    rule = db.execute(following).scalar()
    while rule is not None:
        known.append(rule)
        rule = db.execute(following.where(hits.c.rule > rule)).scalar()
    return known


def on_sites(sites: frozenset[SiteId] | None) -> list[ColumnElement[bool]]:
    """Return the condition that keeps to comments of these sites; None is every site."""
    return [] if sites is None else [comments.c.site_id.in_(sorted(sites))]


def counts_by_status(db: Connection, site: str | None = None) -> dict[Status, StatusCount]:
    """Return a count for every status, of one site or of all."""
    query = sa.select(
        # Ids are in order of arrival and in the queue's index; times are in neither.
        comments.c.status,
        sa.func.count().label("number"),
        sa.func.min(comments.c.id).label("first"),
    ).group_by(comments.c.status)
    if site is not None:
        query = query.where(comments.c.site_id == _site_id(site))
    rows = db.execute(query).all()
    arrivals = _arrivals(db, [row.first for row in rows])
    counts = {Status(row.status): StatusCount(row.number, arrivals[row.first]) for row in rows}
    return {status: counts.get(status, StatusCount()) for status in Status}


def author_history(db: Connection, comment: Comment) -> AuthorHistory:
    """Return what the author wrote on this site, by proven and by claimed identity."""
    of_comment = sa.select(comments.c.author_email_hash, comments.c.author_verified_id)
    identity = db.execute(of_comment.where(comments.c.id == comment.id)).one()
    return AuthorHistory(
        proven=_record(db, comment, comments.c.author_verified_id, identity.author_verified_id),
        claimed=_record(db, comment, comments.c.author_email_hash, identity.author_email_hash),
    )


def _conditions(db: Connection, wanted: ReviewFilter) -> list[ColumnElement[bool]]:
    few = wanted.lane in _FEW
    filters: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "sites": lambda allowed: comments.c.site_id.in_(sorted(allowed)),
        "status": lambda status: comments.c.status == status,
        "category": lambda category: _hit(hits.c.category == category),
        "rule": lambda rule: _hit(hits.c.rule == rule),
        "site": lambda slug: sites.c.slug == slug,
        "thread": lambda key: threads.c.key == key,
        "author": lambda author: _by_author(db, author, few=few),
        "email_hash": lambda digest: sa.and_(
            _on_any_site(), comments.c.author_email_hash == digest
        ),
        "created_from": lambda time: comments.c.created_at >= time,
        "created_before": lambda time: comments.c.created_at < time,
        "text": lambda text: contains_text(text) if few else with_text(db, text),
        "address_hash": lambda digest: from_address(db, digest),
        "language": lambda language: comments.c.language == language,
        "campaign": lambda campaign: comments.c.campaign == campaign,
        "domain": _links_to,
        "same_text": _with_text_of,
        "same_author": _by_author_of,
        "claimed": lambda ids: comments.c.id.in_(ids),
        "unclaimed": lambda ids: comments.c.id.not_in(ids),
    }
    asked = {name: getattr(wanted, name) for name in filters}
    conditions = [filters[name](value) for name, value in asked.items() if value is not None]
    return [*(in_lane(wanted.lane) if wanted.lane else []), *conditions]


def _hit(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.exists().where(hits.c.comment_id == comments.c.id, condition)


def _by_author(db: Connection, author: str, *, few: bool) -> ColumnElement[bool]:
    named = comments.c.author_name.icontains(author, autoescape=True)
    proven = comments.c.author_verified_id == author
    if few:
        return sa.or_(proven, named)
    by_name = sa.select(comments.c.id).where(with_text(db, author), named)
    by_id = sa.select(comments.c.id).where(_on_any_site(), proven)
    return comments.c.id.in_(by_name.union_all(by_id))


def _on_any_site() -> ColumnElement[bool]:
    # True of every comment: the indexes of authors begin with the site.
    return comments.c.site_id.in_(sa.select(sites.c.id))


def _with_text_of(comment_id: CommentId) -> ColumnElement[bool]:
    text = sa.select(_other.c.body).where(_other.c.id == comment_id, _other.c.body != "")
    return comments.c.body == text.scalar_subquery()


def _by_author_of(comment_id: CommentId) -> ColumnElement[bool]:
    """Return the condition that the website vouches for the same author, else the same address."""
    known = ("author_verified_id", "author_email_hash")
    verified, email = (
        sa.select(_other.c[name]).where(_other.c.id == comment_id).scalar_subquery()
        for name in known
    )
    site = sa.select(_other.c.site_id).where(_other.c.id == comment_id).scalar_subquery()
    by_email = sa.and_(verified.is_(None), comments.c.author_email_hash == email)
    return sa.and_(
        comments.c.site_id == site, sa.or_(comments.c.author_verified_id == verified, by_email)
    )


def _links_to(domain: str) -> ColumnElement[bool]:
    led = sa.select(link_domains.c.comment_id).where(link_domains.c.domain == domain)
    return comments.c.id.in_(led)


def _behind(order: Order, after: Place | None) -> list[ColumnElement[bool]]:
    return [] if after is None else [order.behind(after)]


def _items(db: Connection, rows: Sequence[Row[Any]]) -> list[ReviewItem]:
    evidence = verdicts_of(db, [CommentId(row.id) for row in rows])
    return [
        ReviewItem(row_to_comment(row), row.severity, evidence.get(CommentId(row.id)), row.campaign)
        for row in rows
    ]


def _queue_rows(db: Connection, rows: Sequence[Row[Any]]) -> list[QueueRow]:
    found = _live_hits(db, [row.id for row in rows])
    return [
        QueueRow(
            id=CommentId(row.id),
            status=Status(row.status),
            severity=row.severity,
            author_name=row.author_name,
            excerpt=row.excerpt,
            created_at=row.created_at,
            decided_at=row.decided_at,
            report_count=row.report_count,
            site_slug=row.site_slug,
            thread_title=row.thread_title,
            campaign=row.campaign,
            hits=found[row.id],
        )
        for row in rows
    ]


def _live_hits(db: Connection, ids: Sequence[str]) -> dict[str, list[RowHit]]:
    found: dict[str, list[RowHit]] = defaultdict(list)
    query = sa.select(hits).where(hits.c.comment_id.in_(ids), hits.c.mode == "live")
    for row in db.execute(query.order_by(hits.c.needed.desc(), hits.c.rule)):
        found[row.comment_id].append(RowHit(row.rule, row.category, row.needed))
    return found


def _site_id(slug: str) -> sa.ScalarSelect[Any]:
    return sa.select(sites.c.id).where(sites.c.slug == slug).scalar_subquery()


def _arrivals(db: Connection, ids: list[str]) -> dict[str, datetime]:
    query = sa.select(comments.c.id, comments.c.created_at).where(comments.c.id.in_(ids))
    return {row.id: row.created_at for row in db.execute(query)}


def _record(
    db: Connection, comment: Comment, column: ColumnElement[Any], value: str | None
) -> AuthorRecord | None:
    if value is None:
        return None
    query = (
        sa.select(
            comments.c.status,
            sa.func.count().label("number"),
            sa.func.min(comments.c.created_at, type_=comments.c.created_at.type).label("first"),
            sa.func.sum(sa.case((comments.c.id <= comment.id, 1), else_=0)).label("until"),
        )
        .where(comments.c.site_id == comment.site_id, column == value)
        .group_by(comments.c.status)
    )
    rows = db.execute(query).all()
    return AuthorRecord(
        by_status={Status(row.status): row.number for row in rows},
        first_seen=min(row.first for row in rows),
        place=sum(row.until for row in rows),
    )


_other = comments.alias("other")

#: Lanes of so few comments that reading all of them is cheap.
_FEW = frozenset({Lane.REVIEW, Lane.LIKELY_SPAM, Lane.SAMPLE, Lane.PENDING})

_EXCERPT_CHARACTERS = 160
_JOINED = comments.join(sites, comments.c.site_id == sites.c.id).join(
    threads, comments.c.thread_id == threads.c.id
)
_ROWS = sa.select(
    comments.c.id,
    comments.c.status,
    comments.c.severity,
    comments.c.author_name,
    sa.func.substr(comments.c.body, 1, _EXCERPT_CHARACTERS).label("excerpt"),
    comments.c.created_at,
    comments.c.decided_at,
    comments.c.report_count,
    comments.c.campaign,
    sites.c.slug.label("site_slug"),
    threads.c.title.label("thread_title"),
).select_from(_JOINED)
