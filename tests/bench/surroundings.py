"""What a busy installation has besides comments: people, notes, rules that changed, messages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from service.domain.comment import CommentId, SiteId
from service.domain.decision import Role
from service.domain.ruleset import RulesetSource
from service.storage import Store, rulesets, trials
from service.storage.notes import add_note
from service.storage.outbox import add_endpoint
from service.storage.people import create_moderator, set_sites
from service.storage.tables import deliveries, outbox
from service.storage.trials import TrialKind, TrialState
from worker.backtest import Backtest, RuleTrial
from worker.ruleset.shipped import shipped_outline, shipped_source

_PEOPLE = 25
_VERSIONS = 60
_TRIALS = 40
_MESSAGES = 20_000
_EXAMPLES = 50


def surround(store: Store, site_ids: Sequence[SiteId], held: Sequence[CommentId]) -> str:
    """Store all of it around comments that are held; return the id of a trial that is done."""
    _people(store, site_ids)
    _notes(store, site_ids, held)
    _versions(store)
    _messages(store, site_ids, held)
    return _trials(store, held)


def _people(store: Store, site_ids: Sequence[SiteId]) -> None:
    now = datetime.now(UTC)
    with store.write() as db:
        for number in range(_PEOPLE):
            role = Role.SENIOR if number % 5 == 0 else Role.MODERATOR
            person = create_moderator(db, f"person-{number}", "no password", role, now)
            if number % 3 == 0:
                set_sites(db, person.id, site_ids[:2])


def _notes(store: Store, site_ids: Sequence[SiteId], held: Sequence[CommentId]) -> None:
    now = datetime.now(UTC)
    with store.write() as db:
        for comment_id in held[::2]:
            for site_id in site_ids:
                add_note(
                    db, site_id, "Known from last year.",
                    actor="moderator:other", at=now, comment_id=comment_id,
                )  # fmt: skip


def _versions(store: Store) -> None:
    """Publish the rules again and again, each time with one word more."""
    shipped, now = shipped_source(), datetime.now(UTC)
    path = min(shipped.lists)
    with store.write() as db:
        for number in range(1, _VERSIONS):
            words = "".join(f"zz-word-{each}\n" for each in range(number))
            lists = {**shipped.lists, path: shipped.lists[path] + words}
            source = RulesetSource(shipped.rules, lists)
            rulesets.keep(db, source, shipped_outline(), now)
            rulesets.publish(
                db, source.hash, base=number, author="moderator:other", note="One more", now=now
            )


def _trials(store: Store, held: Sequence[CommentId]) -> str:
    now = datetime.now(UTC)
    with store.write() as db:
        live = rulesets.live_version(db)
        assert live is not None, "it was published before"
        result = Backtest(
            live.hash, live.hash, comments=100_000, replayed=99_000, held_live=5_000, held=5_400,
            newly_held=list(held[:_EXAMPLES]), newly_approved=list(held[-_EXAMPLES:]),
            rules={rule.id: RuleTrial(hits=9) for rule in shipped_outline()},
        )  # fmt: skip
        for number in range(_TRIALS):
            at = now - timedelta(hours=number)
            trial = trials.add_trial(
                db, TrialKind.BACKTEST, live.hash, {"days": 30, "base": live.number},
                asked_by="moderator:other", now=at,
            )  # fmt: skip
            trials.finish(db, trial.id, TrialState.DONE, result.as_dict(), at)
    return trial.id


def _messages(store: Store, site_ids: Sequence[SiteId], held: Sequence[CommentId]) -> None:
    now = datetime.now(UTC)
    with store.write() as db:
        endpoints = [
            add_endpoint(db, site, f"https://news-{site}.example/hook", seed="s", now=now).id
            for site in site_ids
        ]
        rows = [
            {
                "key": f"msg_{uuid4().hex}", "endpoint_id": endpoints[number % len(endpoints)],
                "comment_id": held[number % len(held)], "type": "comment.held",
                "payload": {"type": "comment.held", "data": {"id": held[number % len(held)]}},
                "state": ("delivered", "delivered", "dead")[number % 3], "attempts": 2,
                "next_at": None, "created_at": now, "delivered_at": now,
            }
            for number in range(_MESSAGES)
        ]  # fmt: skip
        db.execute(sa.insert(outbox), rows)
        told = [
            {"message_id": message, "at": now, "took_ms": 12, "status": status, "error": ""}
            for message in db.scalars(sa.select(outbox.c.id))
            for status in (503, 200)
        ]
        db.execute(sa.insert(deliveries), told)
