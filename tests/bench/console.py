"""Every page of the console among 100,000 comments of which 5,000 are held."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import psycopg
import sqlalchemy as sa
from flask import Flask

from service.app import create_app
from service.domain.comment import CommentId, SiteId
from service.domain.decision import Role
from service.domain.lane import Lane
from service.keyring import digest, new_token
from service.rule_quality import quality_report
from service.storage import Store, rulesets
from service.storage.numbers import numbers
from service.storage.people import add_token, create_moderator
from service.storage.periods import id_at
from service.storage.searching import index_comments
from service.storage.sites import create_site
from service.storage.tables import (
    comments,
    events,
    hits,
    link_domains,
    samples,
    threads,
    verdicts,
)
from service.web_server import collect_rarely
from tests.bench.measures import Measure
from tests.bench.stand import Stand
from tests.bench.surroundings import surround
from worker.ruleset.shipped import shipped_outline, shipped_source

_COMMENTS = 100_000
_HELD = 5_000
_SITES = 3
_THREADS = 300
_ROUNDS = 20
_GOAL_MS = 100.0
_WORDS = (
    "river", "name", "grandfather", "village", "report", "court", "witness", "night", "snow",
    "market", "letter", "school", "border", "silence", "photograph", "winter", "bridge", "song",
    "ministry", "harvest",
)  # fmt: skip
_SIGN_IN = "/login?next=/review"
#: A stream that does not end, and the page for the second half of signing in,
#: which is that for the first with another field.
_NO_PAGES = frozenset({"live.stream", "login.code_form"})
_RULES = ("several-links", "listed-word", "listed-phrase", "newcomer-link", "same-text")


def measure(stand: Stand, database: str) -> list[Measure]:
    """Return the 95th percentile of each page's time at the server, in milliseconds."""
    store = stand.store()
    held, trial = fill(store)
    app = create_app(replace(stand.settings, log_level="ERROR"))
    client, token = app.test_client(), _moderator(store)
    signed_in = {"Authorization": f"Bearer {token}"}
    pages = _pages(held, trial)
    _require_every_page(app, pages)
    # As in the server's processes: a walk over all that was made here is no page's time.
    collect_rarely()
    measures = []
    for name, paths in pages.items():
        times = []
        sent = {} if paths[0] == _SIGN_IN else signed_in
        # What a process makes once, such as a template's code, is no page's time.
        client.get(paths[0], headers=sent)
        for path in paths:
            begun = time.perf_counter()
            answer = client.get(path, headers=sent)
            times.append((time.perf_counter() - begun) * 1000)
            assert answer.status_code == 200, (path, answer.status)
        p95 = quantiles(times, n=20)[-1]
        measures.append(
            Measure(f"console, {name}, {database}, p95", p95, "ms", goal=_GOAL_MS, better="less")
        )
    measures += _counts(store, database)
    store.close()
    return measures


def fill(store: Store) -> tuple[list[CommentId], str]:
    """Store everything; return the ids of the comments held, and of a trial of the rules."""
    with store.write() as db:
        rulesets.publish_shipped(db, shipped_source(), shipped_outline(), datetime.now(UTC))
        site_ids = _sites(db)
    held = _fill(store, site_ids)
    trial = surround(store, site_ids, held)
    _tidy(store)
    return held, trial


def _require_every_page(app: Flask, pages: dict[str, list[str]]) -> None:
    """Raise AssertionError unless every page that a moderator can open is measured."""
    urls = app.url_map.bind("localhost")
    asked = {urls.match(urlsplit(path).path)[0] for paths in pages.values() for path in paths}
    there = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/review", "/login")) and "GET" in (rule.methods or ())
    }
    assert there - asked <= _NO_PAGES, f"not measured: {there - asked - _NO_PAGES}"


def _counts(store: Store, database: str) -> Iterator[Measure]:
    """Yield how long it takes to count what pages show as it was counted last."""
    now = datetime.now(UTC)
    since = now - timedelta(days=30)
    counts: dict[str, Callable[[sa.Connection], object]] = {
        "numbers": lambda db: numbers(db, now, 30),
        "how the rules do": lambda db: quality_report(db, since, now, {}),
    }
    for name, count in counts.items():
        begun = time.perf_counter()
        with store.read() as db:
            count(db)
        took = (time.perf_counter() - begun) * 1000
        yield Measure(f"console, counting for {name}, {database}", took, "ms", better="less")


def _pages(held: list[CommentId], trial: str) -> dict[str, list[str]]:
    """Return what each page is asked for, with other words and comments each time."""
    chance = random.Random(7)

    def often(make: Any) -> list[str]:
        return [make() for _ in range(_ROUNDS)]

    def word() -> str:
        return chance.choice(_WORDS)

    def author() -> int:
        return chance.randrange(20_000)

    def one() -> str:
        return chance.choice(held)

    return {
        **{f"lane {lane}": often(lambda lane=lane: f"/review?lane={lane}") for lane in Lane},
        "an open comment": often(lambda: f"/review?open={one()}"),
        "one at a time": often(lambda: f"/review?zen=1&open={one()}"),
        "nobody's": often(lambda: "/review?claimed=nobody"),
        "by rule": often(lambda: f"/review?rule={chance.choice(_RULES)}"),
        "by category": often(lambda: "/review?category=abuse"),
        "by site and age": often(lambda: "/review?site=site-1&min_age=3600"),
        "by thread": often(lambda: f"/review?thread=t{chance.randrange(_THREADS)}"),
        "by language": often(lambda: "/review?language=en"),
        "by domain": often(lambda: f"/review?domain=shop-{chance.randrange(50)}.example"),
        "search held": often(lambda: f"/review?q={word()}"),
        "search all": often(lambda: f"/review?lane=all&q={word()}+{word()}"),
        "search a rare word": often(lambda: f"/review?lane=all&q=number+{chance.randrange(99999)}"),
        "search an author": often(lambda: f"/review?lane=all&author=Reader+{author()}"),
        "search an address": often(lambda: f"/review?lane=all&q=10.0.{chance.randrange(255)}.7"),
        "one comment": often(lambda: f"/review/{one()}"),
        "author": often(lambda: f"/review/authors/{one()}"),
        "same author": often(lambda: f"/review/bulk?by={one()}"),
        "same text": often(lambda: f"/review/bulk?like={one()}"),
        "same rule": often(lambda: f"/review/bulk?rule={chance.choice(_RULES)}"),
        "campaigns": often(lambda: "/review/campaigns"),
        "one campaign": often(lambda: f"/review/campaigns/c{chance.randrange(40):03}"),
        "take back a rule": often(lambda: _take_back("rule:listed-word")),
        "take back a person": often(lambda: _take_back("moderator:bench")),
        "numbers": often(lambda: f"/review/numbers?days={chance.choice((7, 30, 90))}"),
        "rules": often(lambda: f"/review/rules?q={word()}"),
        "rules as text": often(lambda: "/review/rules/edit"),
        "all lists": often(lambda: f"/review/rules/lists?q={word()}"),
        "one list": often(lambda: f"/review/rules/lists/threats?q={word()}"),
        "trials": often(lambda: f"/review/rules/trials?comment={one()}&entry={word()}"),
        "one trial": often(lambda: f"/review/rules/trials/{trial}"),
        "try box": often(lambda: f"/review/rules/try?comment={one()}"),
        "learners": often(lambda: "/review/rules/learners"),
        "history of the rules": often(lambda: "/review/rules/history"),
        "one version": often(lambda: f"/review/rules/versions/{chance.randrange(1, 60)}"),
        "how the rules do": often(lambda: f"/review/rules/quality?days={chance.choice((7, 30))}"),
        "live": often(lambda: "/review/live?seen=1000"),
        "account": often(lambda: "/review/account"),
        "second factor": often(lambda: "/review/account/second-factor"),
        "people": often(lambda: "/review/people"),
        "webhooks": often(lambda: "/review/webhooks"),
        "webhooks given up": often(lambda: "/review/webhooks?state=dead&to=2"),
        "keys for WordPress": often(lambda: "/review/wordpress"),
        "choose what to take back": often(lambda: "/review/take-back"),
        "sign in": often(lambda: _SIGN_IN),
    }


def _take_back(what: str) -> str:
    return f"/review/take-back?what={what}&since=2020-01-01T00:00&until=2100-01-01T00:00"


def _moderator(store: Store) -> str:
    token, now = new_token(), datetime.now(UTC)
    with store.write() as db:
        person = create_moderator(db, "bench", "no password", Role.ADMIN, now)
        add_token(db, person.id, digest(token), "token", now=now)
    return token


def _fill(store: Store, site_ids: list[SiteId]) -> list[CommentId]:
    """Store the comments; return the ids of those held."""
    chance = random.Random(1)
    with store.write() as db:
        thread_ids = _threads(db, site_ids)
    held: list[CommentId] = []
    for start in range(0, _COMMENTS, 5_000):
        rows = [_row(number, thread_ids, chance) for number in range(start, start + 5_000)]
        held += [row["id"] for row in rows if row["status"] == "held"]
        found = [each for row in rows for each in _hits(row, chance)]
        abusive = {each["comment_id"] for each in found if each["category"] == "abuse"}
        told = [_verdict(row, chance) for row in rows]
        with store.write() as db:
            db.execute(
                sa.insert(comments),
                [
                    row | {"spam_only": row["severity"] > 0 and row["id"] not in abusive}
                    for row in rows
                ],
            )
            db.execute(sa.insert(verdicts), told)
            db.execute(sa.insert(events), [each for row in rows for each in _story(row)])
            db.execute(sa.insert(hits), found)
            db.execute(sa.insert(link_domains), [_domain(verdict) for verdict in told])
    with store.write() as db:
        approved = sa.select(comments.c.id).where(
            comments.c.status == "approved", comments.c.decided_at.is_(None)
        )
        ids = db.scalars(approved.order_by(comments.c.id.desc()).limit(200)).all()
        now = datetime.now(UTC)
        db.execute(sa.insert(samples), [{"comment_id": i, "rule": "", "at": now} for i in ids])
        while index_comments(db, 5_000):
            pass
    return held


def _tidy(store: Store) -> None:
    """Do what PostgreSQL's autovacuum does within a minute, and SQLite's ANALYZE."""
    url = store.engine.url
    if store.dialect == "sqlite":
        with sqlite3.connect(str(url.database)) as db:
            db.execute("ANALYZE")
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("VACUUM ANALYZE")


def _sites(db: sa.Connection) -> list[SiteId]:
    now = datetime.now(UTC)
    made = [create_site(db, slug=f"site-{n}", name=f"Site {n}", now=now) for n in range(_SITES)]
    return [site.id for site in made]


def _threads(db: sa.Connection, site_ids: list[SiteId]) -> list[tuple[int, SiteId]]:
    found = []
    for number in range(_THREADS):
        site = site_ids[number % _SITES]
        new = sa.insert(threads).values(
            site_id=site, key=f"t{number}", url="", title=f"Article {number}",
            created_at=datetime.now(UTC),
        )  # fmt: skip
        found.append((db.execute(new.returning(threads.c.id)).scalar_one(), site))
    return found


def _row(
    number: int, thread_ids: list[tuple[int, SiteId]], chance: random.Random
) -> dict[str, Any]:
    thread, site = thread_ids[number % len(thread_ids)]
    at = datetime.now(UTC) - timedelta(days=30) * (1 - number / _COMMENTS)
    # Ids tell the time of arrival, as real ones do.
    comment_id = f"{id_at(at)[:24]}{number:012x}"
    is_held = number % (_COMMENTS // _HELD) == 0
    status = "held" if is_held else chance.choice(["approved"] * 17 + ["rejected", "spam", "spam"])
    decided = None if is_held or (status == "approved" and number % 5) else at + timedelta(hours=3)
    author = chance.randrange(20_000)
    text = " ".join(chance.choice(_WORDS) for _ in range(40))
    return {
        "id": comment_id,
        "site_id": site,
        "thread_id": thread,
        "root_id": comment_id,
        "depth": 1,
        "status": status,
        "version": 3 if decided else 2,
        "severity": chance.choice([1, 1, 2, 3]) if is_held or decided else 0,
        "language": "en",
        "author_name": f"Reader {author}",
        "author_email": f"reader{author}@mail.example",
        "author_email_hash": f"{author:064}",
        "author_url": "",
        "author_ip": None,
        "author_ip_hash": f"{author:064}",
        "author_user_agent": "",
        "author_referrer": "",
        "author_email_verified": False,
        "body": f"{text} number {number}" if number % 7 else "The same text again and again",
        "honeypot_filled": False,
        "report_count": 0,
        "attempts": 0,
        "request_id": "",
        "created_at": at,
        "judged_at": at,
        "decided_at": decided,
        "campaign": f"c{number // 60 % 40:03}" if is_held and number % 3 == 0 else None,
    }


def _verdict(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    points = 10 * row["severity"]
    hit = {
        "rule": _RULES[0], "category": "spam", "points": points, "why": "Says much",
        "mode": "live", "needed": True,
        "spans": [{"field": "body", "start": 0, "end": 5, "view": "plain"}],
    }  # fmt: skip
    signals: dict[str, Any] = {f"signal.{number}": number for number in range(25)}
    signals |= {"language": "en", "links": [f"shop-{chance.randrange(50)}.example"]}
    evidence = {
        "status": "held" if points else "approved", "ruleset": "bench",
        "at": row["judged_at"].isoformat(), "took_ms": 1.0,
        "totals": {"spam": {"points": points, "hold_at": 10}},
        "hits": [hit] if points else [], "signals": signals, "absent": [], "errors": [],
    }  # fmt: skip
    return {
        "comment_id": row["id"], "ruleset": "bench", "status": evidence["status"],
        "at": row["judged_at"], "evidence": evidence,
    }  # fmt: skip


def _domain(verdict: dict[str, Any]) -> dict[str, Any]:
    [domain] = verdict["evidence"]["signals"]["links"]
    return {"comment_id": verdict["comment_id"], "domain": domain}


def _story(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    base = {"comment_id": row["id"], "reason": "", "note": "", "batch": None}
    first = "held" if row["decided_at"] or row["status"] == "held" else "approved"
    yield base | {
        "at": row["judged_at"], "kind": "verdict", "actor": "rules",
        "from_status": "pending", "to_status": first, "version": 2,
    }  # fmt: skip
    if row["decided_at"]:
        # The last day's are the person's who is asked about; most are others'.
        recent = row["decided_at"] > datetime.now(UTC) - timedelta(days=1)
        yield base | {
            "at": row["decided_at"], "kind": "decision",
            "actor": "moderator:bench" if recent else "moderator:other",
            "from_status": "held", "to_status": row["status"], "version": 3,
        }  # fmt: skip


def _hits(row: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    if not row["severity"]:
        return
    for rule in chance.sample(_RULES, 2):
        category = "abuse" if rule == "listed-word" else "spam"
        yield {
            "comment_id": row["id"], "rule": rule, "category": category,
            "needed": rule == "listed-word", "mode": "live",
        }  # fmt: skip
