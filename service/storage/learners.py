"""Site learners in the record: how far each is, what it learned, and from what it can learn."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from service.domain.comment import Comment, CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.domain.learner import LearnerFigures, LearnerState, SiteLearner
from service.storage import Store
from service.storage.acts import record_act
from service.storage.comments import row_to_comment, select_comments, verdicts_of
from service.storage.tables import comments, events, learner_versions, learners, sites

#: The actor of what a learner does by itself.
ITSELF = "learner"

_PAGE = 200
#: Versions that are kept to tell how it went; their weights are gone.
_VERSIONS_KEPT = 50
#: After so many events without a decision the record notes that it looked.
_WORTH_NOTING = 10_000

_JUDGED = (Status.APPROVED, Status.REJECTED, Status.SPAM)
#: What changes what there is to learn from.
_TEACHING = (
    EventKind.DECISION,
    EventKind.UNDO,
    EventKind.RULE_WRONG,
    EventKind.REOPENED,
    EventKind.WITHDRAWN,
    EventKind.ERASED,
    EventKind.RETENTION,
)


@dataclass(frozen=True, slots=True)
class Taught:
    """A decision that stands: the comment, who made it, why, and the rules called wrong.

    `evidence` is the newest verdict on the comment, None if a person was faster.
    """

    comment: Comment
    event_id: int
    actor: str
    reason: str
    wrong_rules: tuple[str, ...]
    evidence: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Due:
    """A site with something new to learn: from after which event, and up to which."""

    site_id: SiteId
    since_event: int
    until_event: int


@dataclass(frozen=True, slots=True)
class LearnerVersion:
    """One line of a learner's history."""

    number: int
    hash: str
    at: datetime
    state: LearnerState
    figures: LearnerFigures


def newest_event(db: Connection) -> int:
    """Return the number of the newest event, 0 where nothing happened yet."""
    return db.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0


def due(db: Connection, until_event: int, site_id: SiteId | None = None) -> list[Due]:
    """Return the sites on which something was decided since their learner looked last.

    `until_event` is the newest event that the look is at; a `site_id` asks for that site alone.
    """
    query = sa.select(sites.c.id, learners.c.since_event, learners.c.seen_event).outerjoin(learners)
    if site_id is not None:
        query = query.where(sites.c.id == site_id)
    found = []
    for row in db.execute(query.order_by(sites.c.id)):
        seen = row.seen_event or 0
        if _anything_taught(db, row.id, seen, until_event):
            found.append(Due(SiteId(row.id), row.since_event or 0, until_event))
    return found


def note_looked(db: Connection, teaching: Collection[SiteId], until_event: int) -> None:
    """Let the next look at all other sites begin where this one ended, if that lies far off."""
    for site_id in db.scalars(sa.select(sites.c.id)).all():
        row = _row(db, SiteId(site_id))
        if site_id not in teaching and until_event - (row.seen_event if row else 0) > _WORTH_NOTING:
            lock(db, SiteId(site_id))
            _set(db, SiteId(site_id), seen_event=until_event)


def taught(store: Store, site_id: SiteId, since_event: int, limit: int) -> Iterator[Taught]:
    """Give the newest `limit` decisions of people that stand, oldest first, a page at a time."""
    standing = sa.func.max(events.c.id).label("event_id")
    query = (
        sa.select(standing, comments.c.id.label("comment_id"))
        .join(events, events.c.comment_id == comments.c.id)
        .where(
            comments.c.site_id == site_id,
            comments.c.status.in_(_JUDGED),
            comments.c.decided_at.is_not(None),
            comments.c.body != "",
            events.c.kind == EventKind.DECISION,
            events.c.to_status == comments.c.status,
            sa.or_(events.c.actor.startswith("moderator:"), events.c.actor.startswith("site:")),
            events.c.id > since_event,
        )
        .group_by(comments.c.id)
        .order_by(standing.desc())
        .limit(limit)
    )
    with store.read() as db:
        rows = list(reversed(db.execute(query).all()))
    for start in range(0, len(rows), _PAGE):
        with store.read() as db:
            page = _page(db, rows[start : start + _PAGE])
        yield from page


def learner_of(db: Connection, site_id: SiteId) -> SiteLearner:
    """Return a site's learner as it stands, which need not have learned anything yet."""
    row, newest = _row(db, site_id), _newest(db, site_id)
    figures = LearnerFigures.from_dict(newest.figures) if newest else LearnerFigures()
    return SiteLearner(
        site_id,
        state=LearnerState(row.state) if row else LearnerState.LEARNING,
        version=newest.number if newest else 0,
        hash=newest.hash if newest else "",
        figures=figures,
        by_itself=row.by_itself if row else False,
        switched_by=row.switched_by if row else "",
        switched_at=row.switched_at if row else None,
        learned_at=newest.at if newest else None,
    )


def versions_of(db: Connection, site_id: SiteId, limit: int) -> list[LearnerVersion]:
    """Return what a learner was at each time that it changed, newest first."""
    query = (
        sa.select(learner_versions)
        .where(learner_versions.c.site_id == site_id)
        .order_by(learner_versions.c.number.desc())
        .limit(limit)
    )
    return [
        LearnerVersion(
            row.number, row.hash, row.at, LearnerState(row.state),
            LearnerFigures.from_dict(row.figures),
        )
        for row in db.execute(query)
    ]  # fmt: skip


def speaking(db: Connection) -> dict[SiteId, str]:
    """Return the hash of the newest version of every learner that is on."""
    return {SiteId(row.site_id): row.hash for row in db.execute(_SPEAKING)}


def weights_of(db: Connection, site_id: SiteId) -> str | None:
    """Return what a learner learned last, as it was kept; None if there is nothing."""
    newest = _newest(db, site_id)
    return newest.weights if newest else None


def keep(
    db: Connection, due: Due, hash_: str, weights: str, figures: LearnerFigures, now: datetime
) -> SiteLearner:
    """Store what a learner learned, and let its state follow from how well it does.

    One that is on and does worse goes back to the shadow by itself; one that may switch
    itself on does so once it is proven. The very same as before makes no new version.
    Somebody who reset it in the meantime prevails.
    """
    lock(db, due.site_id)
    before = learner_of(db, due.site_id)
    if _row(db, due.site_id).since_event != due.since_event:
        return before
    state = _state_after(db, before, figures, now)
    if (before.hash, before.figures) != (hash_, figures):
        _add_version(db, before, hash_, weights, figures, state, now)
    _set(db, due.site_id, seen_event=due.until_event, state=state)
    return learner_of(db, due.site_id)


def switch(db: Connection, site_id: SiteId, state: LearnerState, actor: str, now: datetime) -> None:
    """Give a learner another state; whoever does is named."""
    lock(db, site_id)
    _set(db, site_id, state=state, switched_by=actor, switched_at=now)
    _tell(db, site_id, actor, f"Now {state}", now)


def let_by_itself(
    db: Connection, site_id: SiteId, by_itself: bool, actor: str, now: datetime
) -> None:
    """Say whether a learner may switch itself on once it is proven."""
    lock(db, site_id)
    _set(db, site_id, by_itself=by_itself)
    told = "May switch itself on" if by_itself else "Waits to be switched on"
    _tell(db, site_id, actor, told, now)


def reset(db: Connection, site_id: SiteId, actor: str, now: datetime) -> None:
    """Forget everything that a learner learned; it begins anew with decisions from now on."""
    lock(db, site_id)
    newest = newest_event(db)
    db.execute(sa.delete(learner_versions).where(learner_versions.c.site_id == site_id))
    _set(
        db, site_id, state=LearnerState.LEARNING, switched_by=actor, switched_at=now,
        since_event=newest, seen_event=newest,
    )  # fmt: skip
    _tell(db, site_id, actor, "Reset", now)


def lock(db: Connection, site_id: SiteId) -> None:
    """Make the learner's row where there is none, and keep others from changing it."""
    if _row(db, site_id) is None:
        new = sa.insert(learners).values(
            site_id=site_id, state=LearnerState.LEARNING, by_itself=False, switched_by="",
            since_event=0, seen_event=0,
        )  # fmt: skip
        # Another process may make it in this very moment.
        with suppress(IntegrityError), db.begin_nested():
            db.execute(new)
    locked = sa.select(learners.c.site_id).where(learners.c.site_id == site_id)
    db.execute(locked.with_for_update())


def _state_after(
    db: Connection, before: SiteLearner, figures: LearnerFigures, now: datetime
) -> LearnerState:
    site_id = before.site_id
    if before.state is LearnerState.ON:
        why = figures.decline
        if not why:
            return LearnerState.ON
        _set(db, site_id, switched_by=ITSELF, switched_at=now)
        _tell(db, site_id, ITSELF, f"Back in the shadow: {why}", now)
        return LearnerState.SHADOW
    if before.by_itself and figures.state is LearnerState.PROVEN:
        _set(db, site_id, switched_by=ITSELF, switched_at=now)
        _tell(db, site_id, ITSELF, "Proved itself, now on", now)
        return LearnerState.ON
    return figures.state


def _add_version(
    db: Connection, before: SiteLearner, hash_: str, weights: str, figures: LearnerFigures,
    state: LearnerState, now: datetime,
) -> None:  # fmt: skip
    ours = learner_versions.c.site_id == before.site_id
    db.execute(sa.update(learner_versions).where(ours).values(weights=None))
    number = before.version + 1
    old = learner_versions.c.number <= number - _VERSIONS_KEPT
    db.execute(sa.delete(learner_versions).where(ours, old))
    db.execute(
        sa.insert(learner_versions).values(
            site_id=before.site_id, number=number, hash=hash_, at=now, state=state,
            figures=figures.as_dict(), weights=weights,
        )
    )  # fmt: skip


def _tell(db: Connection, site_id: SiteId, actor: str, what: str, now: datetime) -> None:
    slug = db.execute(sa.select(sites.c.slug).where(sites.c.id == site_id)).scalar_one()
    record_act(db, now, actor, "site learner", slug, what)


def _anything_taught(db: Connection, site_id: int, seen: int, until: int) -> bool:
    query = (
        sa.select(events.c.id)
        .join(comments, comments.c.id == events.c.comment_id)
        .where(
            events.c.id > seen,
            events.c.id <= until,
            events.c.kind.in_(_TEACHING),
            comments.c.site_id == site_id,
        )
    )
    return db.execute(query.limit(1)).first() is not None


def _page(db: Connection, rows: Sequence[Row[Any]]) -> list[Taught]:
    ids = [CommentId(row.comment_id) for row in rows]
    by_id = {
        row.id: row_to_comment(row)
        for row in db.execute(select_comments().where(comments.c.id.in_(ids)))
    }
    found = {
        row.id: row
        for row in db.execute(
            sa.select(events).where(events.c.id.in_([row.event_id for row in rows]))
        )
    }
    wrong = _called_wrong(db, ids)
    evidence = verdicts_of(db, ids)
    # What was erased between the two looks is left out.
    return [
        Taught(
            by_id[row.comment_id], row.event_id, found[row.event_id].actor,
            found[row.event_id].reason, wrong[row.comment_id, found[row.event_id].version],
            evidence.get(CommentId(row.comment_id)),
        )
        for row in rows
        if row.comment_id in by_id and by_id[row.comment_id].body
    ]  # fmt: skip


def _called_wrong(
    db: Connection, ids: Sequence[CommentId]
) -> dict[tuple[str, int], tuple[str, ...]]:
    """Return the rules called wrong along with each decision, by comment and its version."""
    query = sa.select(events.c.comment_id, events.c.version, events.c.note).where(
        events.c.comment_id.in_(ids), events.c.kind == EventKind.RULE_WRONG
    )
    wrong: dict[tuple[str, int], tuple[str, ...]] = defaultdict(tuple)
    for row in db.execute(query.order_by(events.c.id)):
        wrong[row.comment_id, row.version] += (row.note,)
    return wrong


def _row(db: Connection, site_id: SiteId) -> Any:
    return db.execute(sa.select(learners).where(learners.c.site_id == site_id)).one_or_none()


def _newest(db: Connection, site_id: SiteId) -> Any:
    query = (
        sa.select(learner_versions)
        .where(learner_versions.c.site_id == site_id)
        .order_by(learner_versions.c.number.desc())
        .limit(1)
    )
    return db.execute(query).one_or_none()


def _set(db: Connection, site_id: SiteId, **columns: object) -> None:
    db.execute(sa.update(learners).where(learners.c.site_id == site_id).values(columns))


_SPEAKING = (
    sa.select(learners.c.site_id, learner_versions.c.hash)
    .join(learner_versions, learner_versions.c.site_id == learners.c.site_id)
    .where(learners.c.state == LearnerState.ON, learner_versions.c.weights.is_not(None))
)
