"""Counters: how often things were seen, over any period, in order, and only what was recorded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from service.domain.comment import Author, CommentId, Submission, ThreadRef
from service.domain.payload import submission_to_json
from service.jobs import connect
from tests.contract.desk import verdict
from tests.support.versions import publish, rule, ruleset
from tests.support.world import World
from worker.counters import Counters
from worker.ruleset import Counter
from worker.subjects import Subjects


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


HOUR = Counter("text", 3600)
DAY = Counter("ip", 86_400)
#: The beginning of an hour and of a day.
START = datetime(2026, 11, 25, tzinfo=UTC)


def seen(counters: Counters, subjects: Subjects, at: datetime, *asked: Counter) -> list[Any]:
    """Return the counts before a comment of that time."""
    counts = counters.read([subjects], asked or (HOUR,), at).of_next(subjects)
    return list(counts.values())


def count(counters: Counters, batch: Sequence[Subjects], at: datetime, *by: Counter) -> None:
    """Count a recorded batch."""
    counters.count(batch, [verdict() for _ in batch], by or (HOUR,), at, {})


def test_the_part_of_an_earlier_period_that_still_counts_grows_less(
    redis_client: redis.Redis,
) -> None:
    counters = Counters(redis_client)
    text: Subjects = {"text": ("a",)}
    count(counters, [text] * 8, START)

    minutes = (0, 59, 60, 75, 90, 119, 120)
    found = [seen(counters, text, START + timedelta(minutes=m))[0] for m in minutes]

    assert found == [8, 8, 8, 6, 4, 0, 0]


def test_every_kind_and_period_is_counted_by_itself(redis_client: redis.Redis) -> None:
    counters = Counters(redis_client)
    first: Subjects = {"text": ("a",), "ip": ("x",)}
    other: Subjects = {"text": ("b",), "ip": ("x",)}
    count(counters, [first, other], START, HOUR, DAY)

    assert seen(counters, first, START, HOUR, DAY) == [2, 1]
    assert seen(counters, {"text": ("c",)}, START, HOUR, DAY) == [0, 0]
    later = START + timedelta(hours=3)
    assert seen(counters, first, later, HOUR, DAY) == [2, 0]


def test_of_several_links_the_one_seen_most_often_counts(redis_client: redis.Redis) -> None:
    counters, domains = Counters(redis_client), Counter("domain", 300)
    count(counters, [{"domain": ("a", "b")}, {"domain": ("b",)}], START, domains)

    assert seen(counters, {"domain": ("a", "b", "c")}, START, domains) == [2]


def test_members_of_a_batch_see_those_before_them(redis_client: redis.Redis) -> None:
    batch: list[Subjects] = [{"text": ("a",)}, {"text": ("b",)}, {"text": ("a",)}]

    counts = Counters(redis_client).read(batch, [HOUR], START)

    assert [counts.of_next(one) for one in batch] == [
        {"text.1h": 0},
        {"text.1h": 0},
        {"text.1h": 1},
    ]


def test_counts_end_by_themselves(redis_client: redis.Redis) -> None:
    count(Counters(redis_client), [{"ip": ("x",)}], START, DAY)

    [key] = redis_client.keys("anteroom:seen:*")
    assert 86_400 < redis_client.ttl(key) <= 2 * 86_400


def test_while_redis_is_away_counts_are_absent() -> None:
    counters = Counters(connect("unix:///nowhere/redis.sock"))
    count(counters, [{"text": ("a",)}], START)

    assert seen(counters, {"text": ("a",)}, START) == [None]


# --- through the worker --------------------------------------------------------

FLOOD = [
    rule("{ count: { of: ip, per: 5m, over: 1 } }", "ip-flood", why="Seen {value} times"),
    rule("{ count: { of: email, per: 1d, over: 1 } }", "email-flood", why="Seen {value} times"),
    rule("{ count: { of: name, per: 1h, over: 1 } }", "name-flood", why="Seen {value} times"),
    rule("{ count: { of: domain, per: 7d, over: 1 } }", "domain-flood", why="Seen {value} times"),
    rule("{ count: { of: campaign, per: 30d, over: 1 } }", "campaign", why="Seen {value} times"),
]
LONG = "Dear friends, this wonderful agency writes every essay that you need before Monday noon"


@pytest.mark.parametrize(
    ("found", "author", "body"),
    [
        pytest.param("ip-flood", {"ip": "192.0.2.9"}, "", id="address"),
        pytest.param("email-flood", {"email": "Same@mail.example"}, "", id="e-mail"),
        pytest.param("name-flood", {"name": "Ann  B\u00e9a"}, "", id="name"),
        pytest.param("domain-flood", {}, "at http://cheap-shop.com/{number}", id="link"),
        pytest.param("domain-flood", {"url": "http://a.cheap-shop.com/"}, "", id="own page"),
        pytest.param("campaign", {}, f"{LONG}!", id="campaign"),
    ],
)
def test_the_third_of_a_kind_is_held(
    world: World, found: str, author: dict[str, str], body: str
) -> None:
    publish(world.store, ruleset(*FLOOD))
    ids = [
        world.judged_comment(author=author, body=(body or f"Calm {n}.").format(number=n))
        for n in range(3)
    ]

    assert [world.rules_hit(comment_id) for comment_id in ids] == [set(), set(), {found}]
    assert world.verdict(ids[2])["hits"][0]["why"] == "Seen 2 times"


def test_nothing_that_anybody_wrote_stands_in_redis(
    world: World, redis_client: redis.Redis
) -> None:
    publish(world.store, ruleset(*FLOOD))
    world.judged_comment(
        author={"ip": "192.0.2.9", "email": "same@mail.example", "name": "Zacharias"},
        body=f"{LONG} at http://cheap-shop.com/",
    )

    keys = str(redis_client.keys("anteroom:seen:*"))
    assert keys.count("anteroom:seen:") == 5
    for written in ("192.0.2", "same", "acharias", "cheap", "friends"):
        assert written not in keys


def test_a_check_sees_counts_and_moves_none(world: World, redis_client: redis.Redis) -> None:
    publish(world.store, ruleset(*FLOOD))
    for _ in range(2):
        world.judged_comment(author={"email": "same@mail.example"})
    before = sorted(redis_client.keys("anteroom:seen:*"))
    author = Author(name="Ann", email="same@mail.example")
    submission = Submission(ThreadRef("anywhere"), author, LONG)
    payload = {"site_id": world.site.id, "submission": submission_to_json(submission)}

    answers = [world.runtime.check(payload) for _ in range(3)]

    assert [answer["status"] for answer in answers] == ["held"] * 3
    assert answers[2]["verdict"]["signals"]["count.email.1d"] == 2
    assert sorted(redis_client.keys("anteroom:seen:*")) == before


# --- campaigns -----------------------------------------------------------------


def campaigns(world: World, ids: Sequence[CommentId]) -> list[str | None]:
    """Return the campaign of each comment."""
    return [world.row(comment_id).campaign for comment_id in ids]


def test_the_same_advert_on_many_pages_is_one_campaign(world: World) -> None:
    first = world.judged_comment(body=f"{LONG}!", thread={"id": "one"})
    second = world.judged_comment(body=f"{LONG.upper()}...", thread={"id": "two"})
    other = world.judged_comment(body="Something else that is long enough to have a fingerprint.")
    short = world.judged_comment(body="Thank you!")

    found = campaigns(world, [first, second, other, short])

    assert found[0] is not None
    assert found[0] == found[1] != found[2]
    assert found[3] is None


def test_a_campaign_may_begin_and_go_on_within_one_batch(world: World) -> None:
    ids = [world.post_comment(body=LONG, thread={"id": f"page-{n}"}) for n in range(3)]

    world.runtime.moderate(ids)

    assert len(set(campaigns(world, ids))) == 1
    assert campaigns(world, ids)[0] is not None
