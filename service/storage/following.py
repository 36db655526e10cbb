"""Decisions on whole campaigns, and the comments that follow them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import CommentId, SiteId, Status
from service.domain.decision import Decision
from service.storage.reviewing import on_sites
from service.storage.tables import comments, followed, link_domains, sites

#: How long new members follow a decision on their campaign.
FOLLOWED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Nearly the same comments of which several wait; `sample` is the first one's beginning."""

    name: str
    waiting: int
    sites: int
    first: CommentId
    sample: str


@dataclass(frozen=True, slots=True)
class Followed:
    """A decision that new members of a campaign follow, if they link to the same domains."""

    campaign: str
    decision: Decision
    domains: tuple[str, ...]
    batch: str
    actor: str
    at: datetime
    ends_at: datetime


def campaign_size(db: Connection, campaign: str, allowed: frozenset[SiteId] | None) -> int:
    """Return how many comments belong to the campaign, on the sites allowed."""
    query = sa.select(sa.func.count()).where(comments.c.campaign == campaign, *on_sites(allowed))
    return db.execute(query).scalar_one()


def waiting_campaigns(
    db: Connection, allowed: frozenset[SiteId] | None, *, limit: int
) -> list[Campaign]:
    """Return campaigns of which two or more comments are held, the largest first."""
    query = (
        sa.select(
            comments.c.campaign,
            sa.func.count().label("waiting"),
            sa.func.count(comments.c.site_id.distinct()).label("sites"),
            sa.func.min(comments.c.id).label("first"),
        )
        .where(
            comments.c.status == sa.literal_column(f"'{Status.HELD}'"),
            comments.c.campaign.is_not(None),
            *on_sites(allowed),
        )
        .group_by(comments.c.campaign)
        .having(sa.func.count() > 1)
        .order_by(sa.func.count().desc(), sa.func.min(comments.c.id))
        .limit(limit)
    )
    rows = db.execute(query).all()
    samples = _beginnings(db, [row.first for row in rows])
    return [
        Campaign(row.campaign, row.waiting, row.sites, CommentId(row.first), samples[row.first])
        for row in rows
    ]


def domain_sets(db: Connection, ids: Sequence[CommentId]) -> set[tuple[str, ...]]:
    """Return the sets of domains that the comments link to, those with links only."""
    return {domains for domains in _domains(db, ids).values() if domains}


def add_followed(db: Connection, new: Iterable[Followed]) -> None:
    """Let new members follow these decisions."""
    rows = [
        {
            "campaign": each.campaign,
            "decision": each.decision,
            "domains": "\n".join(each.domains),
            "batch": each.batch,
            "actor": each.actor,
            "at": each.at,
            "ends_at": each.ends_at,
        }
        for each in new
    ]
    if rows:
        db.execute(sa.insert(followed), rows)


def followed_now(db: Connection, now: datetime, campaign: str | None = None) -> list[Followed]:
    """Return the decisions that are followed at this moment."""
    query = sa.select(followed).where(followed.c.ends_at > now, followed.c.taken_back_at.is_(None))
    if campaign is not None:
        query = query.where(followed.c.campaign == campaign)
    return [
        Followed(
            row.campaign,
            Decision(row.decision),
            tuple(row.domains.split("\n")),
            row.batch,
            row.actor,
            row.at,
            row.ends_at,
        )
        for row in db.execute(query.order_by(followed.c.id))
    ]


def stop_following(db: Connection, batch: str, now: datetime) -> None:
    """Let nobody follow the decisions of that batch any more."""
    of_batch = followed.c.batch == batch, followed.c.taken_back_at.is_(None)
    db.execute(sa.update(followed).where(*of_batch).values(taken_back_at=now))


def new_members(
    db: Connection, ids: Sequence[CommentId], now: datetime
) -> Mapping[CommentId, Followed]:
    """Return those of `ids` that follow a decision, with the one they follow."""
    active = {(each.campaign, each.domains): each for each in followed_now(db, now)}
    if not active:
        return {}
    names = {campaign for campaign, _ in active}
    query = sa.select(comments.c.id, comments.c.campaign).where(
        comments.c.id.in_(ids), comments.c.campaign.in_(names)
    )
    rows = db.execute(query).all()
    domains = _domains(db, [CommentId(row.id) for row in rows])
    found = {
        CommentId(row.id): active.get((row.campaign, domains[CommentId(row.id)])) for row in rows
    }
    return {comment_id: decision for comment_id, decision in found.items() if decision}


def site_names(db: Connection, campaign: str, allowed: frozenset[SiteId] | None) -> list[str]:
    """Return the names of the sites that the campaign reached."""
    query = (
        sa.select(sites.c.name)
        .join(comments, comments.c.site_id == sites.c.id)
        .where(comments.c.campaign == campaign, *on_sites(allowed))
        .distinct()
        .order_by(sites.c.name)
    )
    return list(db.scalars(query))


def _domains(db: Connection, ids: Sequence[CommentId]) -> dict[CommentId, tuple[str, ...]]:
    query = sa.select(link_domains).where(link_domains.c.comment_id.in_(ids))
    found: dict[CommentId, tuple[str, ...]] = dict.fromkeys(ids, ())
    for row in db.execute(query.order_by(link_domains.c.domain)):
        found[CommentId(row.comment_id)] += (row.domain,)
    return found


def _beginnings(db: Connection, ids: Sequence[str]) -> dict[str, str]:
    query = sa.select(comments.c.id, sa.func.substr(comments.c.body, 1, 200).label("text"))
    return {row.id: row.text for row in db.execute(query.where(comments.c.id.in_(ids)))}
