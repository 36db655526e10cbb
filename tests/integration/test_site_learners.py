"""Site learners at work: in the console, over the API, at the terminal and in verdicts."""

import gzip
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import TestResponse

from service.domain.decision import Decision, Role
from service.domain.learner import LearnerFigures, LearnerState, SiteLearner, Slice
from service.jobs import TRIALS
from service.moderation.learning import Learning
from service.storage import archive, database_now, learners
from service.storage.learners import Due
from tests.support.judging import NOON, Says, a_comment
from tests.support.signing_in import Person, signed_in
from tests.support.world import World, bearer
from worker.__main__ import main
from worker.context import Context
from worker.learner.correction import Correction, log_odds, sight_of
from worker.signals.comment import Signals

ROUGH = "You absolute muppet, what a shot"

PROVEN = LearnerFigures(
    decisions=200, people=2, judged=150, judges=2, wrong_holds=40, spared=31, right_holds=110,
    slipped=3, caught=1, course=(Slice(7, 13, 0), Slice(2, 18, 0)),
)  # fmt: skip


@pytest.fixture
def dialect() -> str:
    """One database is enough here: the contract suite has what is stored over both."""
    return "sqlite"


@pytest.fixture
def admin(world: World) -> Person:
    """An admin at the console."""
    return signed_in(world)


def taught() -> Correction:
    """Return what two people taught who let rough words stand."""
    correction = Correction.empty()
    sight = sight_of("abuse", Signals(a_comment(ROUGH), Context(at=NOON)))
    for _ in range(60):
        for person in (0, 1):
            correction.learn("abuse", sight, person, log_odds(0.85), 0.0)
    return correction


def kept(world: World, figures: LearnerFigures = PROVEN, hash_: str = "aa") -> SiteLearner:
    """Store what the site's learner learned."""
    with world.store.write() as db:
        return learners.keep(
            db, Due(world.site.id, 0, 10), hash_, taught().dump(), figures, database_now(db)
        )


def state(world: World) -> SiteLearner:
    """Return the learner as it stands."""
    with world.store.read() as db:
        return learners.learner_of(db, world.site.id)


def words(page: str) -> str:
    """Return what a page says."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def page(person: Person) -> str:
    """Return what the page of learners says."""
    return words(person.page("/review/rules/learners"))


def press(person: Person, path: str = "switch", **fields: Any) -> str:
    """Press a button on the page, and return what the next page says."""
    where = "/review/rules/learners"
    answer = person.send(f"{where}/news/{path}", onto=where, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return words(person.client.get(answer.headers["Location"]).get_data(as_text=True))


# --- in the console ------------------------------------------------------------


def test_before_anything_was_decided_the_page_says_so(admin: Person) -> None:
    told = page(admin)

    assert "Learns; too few decisions to compare it with" in told
    assert "Learned from 0 decisions" in told
    assert "Switch on" not in told


def test_a_proven_learner_is_shown_switched_on_and_off(world: World, admin: Person) -> None:
    kept(world)

    before = page(admin)
    on = press(admin, to="on")
    off = press(admin, to="off")

    assert (
        "Would have spared 31 of 40 wrong holds; would have missed 0 of 110 right ones." in before
    )
    assert "Proven, and off" in before
    assert "<svg" in admin.page("/review/rules/learners")
    assert "The learner of news is on." in on
    assert "On: rules hear it, since just now by anna" in on
    assert "The learner of news is off." in off
    assert state(world).state is LearnerState.PROVEN


def test_one_that_is_not_proven_stays_off(world: World, admin: Person) -> None:
    kept(world, replace(PROVEN, judged=40))

    told = press(admin, to="on")

    assert "Not switched on: It was compared with 40 of 100 later decisions." in told
    assert state(world).state is LearnerState.SHADOW


def test_it_may_be_let_to_switch_itself_on(world: World, admin: Person) -> None:
    assert "switches itself on once proven" in press(admin, to="by_itself")

    kept(world)

    assert state(world).state is LearnerState.ON
    assert "since just now by itself" in page(admin)
    assert "waits to be switched on" in press(admin, to="by_hand")


def test_a_reset_forgets_and_is_told_of(world: World, admin: Person) -> None:
    kept(world)

    told = press(admin, "reset")

    assert "The learner of news knows nothing any more." in told
    assert state(world).version == 0
    assert "Site learner: news (Reset), by anna" in words(admin.page("/review/people"))


def test_seniors_see_and_admins_switch(world: World) -> None:
    kept(world)
    senior = signed_in(world, "sam", Role.SENIOR)
    moderator = signed_in(world, "kim", Role.MODERATOR)

    assert "Would have spared 31" in page(senior)
    assert "Reset" not in page(senior)
    for path in ("switch", "reset"):
        answer = senior.send(f"/review/rules/learners/news/{path}", to="on")
        assert answer.status_code == 403
    assert moderator.client.get("/review/rules/learners").status_code == 403
    assert "Learners" not in moderator.page("/review/rules")


# --- over the API --------------------------------------------------------------


def send(world: World, to: str, site: str = "news", token: str = "") -> TestResponse:
    """Change a learner over the API."""
    return world.client.post(
        f"/v1/learners/{site}", json={"to": to}, headers=bearer(token or world.token)
    )


def test_the_api_tells_and_changes_the_same(world: World) -> None:
    kept(world)

    [told] = world.client.get("/v1/learners", headers=bearer(world.token)).get_json()["learners"]
    assert (told["site"], told["state"], told["spared"], told["wrong_holds"]) == (
        "news", "proven", 31, 40,
    )  # fmt: skip
    assert send(world, "on").get_json()["state"] == "on"
    assert send(world, "by_itself").get_json()["by_itself"] is True
    assert send(world, "off").get_json()["state"] == "proven"
    assert send(world, "reset").get_json()["version"] == 0
    refused = send(world, "on")
    assert refused.status_code == 409
    assert refused.get_json()["type"].endswith("learner-not-proven")
    assert send(world, "on", site="nowhere").status_code == 404
    _, token = world.second_moderator(role=Role.SENIOR)
    assert send(world, "reset", token=token).status_code == 403


# --- at the terminal -----------------------------------------------------------


def run(world: World, *arguments: str | Path) -> Result:
    """Run a command on the world's database."""
    environ = {"DATABASE_URL": world.settings.database_url, "SECRET_KEY": "k" * 32}
    return CliRunner().invoke(main, ("learner", *map(str, arguments)), env=environ)


def test_the_terminal_tells_and_resets(world: World) -> None:
    kept(world)

    told = run(world, "status", "news").output
    assert "news: proven, version 1 (aa), learned from 200 decisions" in told
    assert "Would have spared 31 of 40 wrong holds" in told
    assert "knows nothing any more" in run(world, "reset", "news").output
    assert "news: learning, learned from 0 decisions" in run(world, "status").output
    assert "There is no site 'nowhere'" in run(world, "reset", "nowhere").output


def test_a_simulation_tells_how_many_decisions_it_took(world: World, tmp_path: Path) -> None:
    file = tmp_path / "comments.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8") as rows:
        rows.write("text,label\n")
        rows.writelines(f"You are a stupid idiot number {n},abusive\n" for n in range(30))

    told = run(world, "simulate", file, "--people", "2")

    assert told.exit_code == 0, told.output
    assert "Not proven: It was compared with" in told.output
    assert "By the labels it would have spared 0 of 0 wrong holds" in told.output
    file.write_bytes(gzip.compress(b"nothing\n"))
    assert run(world, "simulate", file).exit_code == 1


# --- in a worker ---------------------------------------------------------------


def test_a_worker_hears_a_learner_as_soon_as_it_is_on(world: World, admin: Person) -> None:
    world.runtime._models = Says(abuse=0.87)
    kept(world)

    before = world.held_comment(body=f"{ROUGH} there")
    press(admin, to="on")
    spared = world.approved_comment(body=f"{ROUGH} here")
    other = world.held_comment(body="Quartz and feldspar in layers")

    assert "site-lets-abuse" not in world.rules_hit(before)
    assert "model.site" not in world.verdict(before)["signals"]
    verdict = world.verdict(spared)
    [hit] = [hit for hit in verdict["hits"] if hit["rule"] == "site-lets-abuse"]
    assert hit["points"] == -3
    assert "“muppet”" in hit["why"]
    assert verdict["signals"]["model.site"] == "news aa"
    assert verdict["signals"]["score.site.abuse"] < 0.4
    assert "site-lets-abuse" not in world.rules_hit(other)

    press(admin, to="off")
    assert world.status(world.held_comment(body=f"{ROUGH} again")) == "held"


def test_decisions_reach_the_learner_through_the_queue(world: World) -> None:
    world.runtime._models = Says(abuse=0.87)
    for number in range(25):
        comment_id = world.held_comment(body=f"{ROUGH} {number}")
        world.moderation.decide(comment_id, Decision.APPROVE, moderator=world.moderator, version=2)

    assert Learning(world.store, world.jobs).run() == 1
    world.run_worker_once(TRIALS)

    found = state(world)
    assert (found.version, found.figures.decisions, found.figures.wrong_holds) == (1, 25, 5)
    assert Learning(world.store, world.jobs).run() == 0


def test_a_backup_takes_learners_along(world: World, tmp_path: Path) -> None:
    kept(world)
    file = tmp_path / "backup.gz"
    with file.open("wb") as backup:
        archive.back_up(world.store, backup)

    with gzip.open(file, "rt", encoding="utf-8") as rows:
        tables = [line.split('"')[1] for line in rows if line.startswith("[")]
    assert {"learners", "learner_versions"} <= set(tables)
