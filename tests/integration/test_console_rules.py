"""The rules pages of the console as a browser without scripts sees them."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.domain.clock import utc_now
from service.domain.decision import Role
from service.domain.ruleset import Hindrance, RulesetSource, RulesetVersion, RuleState
from service.jobs import CHECK
from service.storage import rulesets
from tests.support.signing_in import Person, signed_in
from tests.support.versions import publish, rule, ruleset, says
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

LISTED = rule("{ words: { list: bad, except: fine } }", "listed")


@pytest.fixture
def admin(world: World) -> Person:
    """An admin at the console."""
    return signed_in(world)


def with_lists(bad: str = "zeppelin\n", fine: str = "") -> RulesetSource:
    """Return a ruleset with a list, and exceptions from it."""
    return ruleset(LISTED, bad=bad, fine=fine)


def ask(world: World, person: Person, path: str, onto: str, **fields: Any) -> TestResponse:
    """Send a form of the page `onto` while a worker serves the queue of checks."""
    token = person.csrf_token(onto)
    with ThreadPoolExecutor(1) as threads:
        data = {"csrf_token": token} | fields
        answer = threads.submit(person.client.post, path, data=data)
        while not answer.done():
            world.run_worker_once(CHECK)
        return answer.result()


def after(person: Person, answer: TestResponse) -> str:
    """Return the words of the page that an answer leads to."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return words(person.client.get(answer.headers["Location"]).get_data(as_text=True))


def words(page: str) -> str:
    """Return what a page says."""
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))
    return re.sub(r"(?<=“) | (?=[,.:;”])", "", text)


def live(world: World) -> tuple[RulesetVersion, RulesetSource]:
    """Return what is live."""
    return world.services.rulesets.live_source()


# --- what is live --------------------------------------------------------------


def test_the_live_rules_are_listed_with_who_made_them_so(world: World, admin: Person) -> None:
    publish(
        world.store,
        ruleset(LISTED, says("balloon", "aside", mode="shadow"), bad="a zeppelin\n", fine=""),
        note="People fly again",
    )

    page = words(admin.page("/review/rules"))

    assert "Version 1 published just now by mod “People fly again”" in page
    assert "listed Says {match} spam 10 live" in page
    assert "aside Says {match} spam 10 shadow" in page
    assert "bad 1" in page


def test_rules_are_found_by_word_category_and_mode(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("one"), says("two", "other", mode="shadow")))

    assert "1 of 2 rules" in words(admin.page("/review/rules?q=OTHER"))
    assert "1 of 2 rules" in words(admin.page("/review/rules?mode=live&category=spam"))
    assert "No rule fits." in admin.page("/review/rules?category=abuse")


def test_without_rules_the_pages_say_so(admin: Person) -> None:
    assert "No rules are live yet." in admin.page("/review/rules")
    assert "Nothing was published yet." in admin.page("/review/rules/history")


def test_a_braked_rule_is_told_and_brought_back(world: World, admin: Person) -> None:
    version = publish(world.store, ruleset(says("zeppelin")))
    state = RuleState("word", Hindrance.BRAKED, "It alone held 9 of 100", utc_now())
    with world.store.write() as db:
        rulesets.add_state(db, version.number, state)

    before = words(admin.page("/review/rules"))
    told = after(admin, ask(world, admin, "/review/rules/confirm", "/review/rules", base=1))

    assert "1 rule was put aside" in before
    assert "word is braked, just now: It alone held 9 of 100" in before
    assert "All rules are back. Version 2 is live." in told
    assert "put aside" not in told
    assert world.status(world.judged_comment(body="A zeppelin")) == "held"


def test_only_admins_bring_back(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    senior = signed_in(world, "sam", Role.SENIOR)

    assert senior.send("/review/rules/confirm", base=1).status_code == 403


# --- history -------------------------------------------------------------------


def test_the_history_tells_who_changed_what_and_why(world: World, admin: Person) -> None:
    publish(world.store, with_lists(), note="To begin with")
    publish(world.store, with_lists("balloon\n"), author="moderator:bea", note="Others fly")

    page = words(admin.page("/review/rules/history"))

    assert "Version 2 live “Others fly” just now by bea 1 rule changed: listed" in page
    assert "Version 1 “To begin with”" in page


def test_a_version_shows_what_it_changed_and_leads_back(world: World, admin: Person) -> None:
    publish(world.store, with_lists("zeppelin\n"))
    publish(world.store, with_lists("balloon\n"))
    page = admin.page("/review/rules/versions/2")
    first = words(admin.page("/review/rules/versions/1"))

    answer = admin.send(
        "/review/rules/revert", onto="/review/rules/versions/1", base=2, to=1, note="as it was"
    )

    assert "<del>-zeppelin</del>" in page
    assert "<ins>+balloon</ins>" in page
    assert "Make this version live again" in first
    assert "The rules are as in version 1 again. Version 3 is live." in after(admin, answer)
    assert live(world)[1] == with_lists("zeppelin\n")
    assert admin.client.get("/review/rules/versions/9").status_code == 404


def test_a_revert_onto_what_moved_on_changes_nothing(world: World, admin: Person) -> None:
    publish(world.store, with_lists("one\n"))
    publish(world.store, with_lists("two\n"), author="moderator:bea")

    answer = admin.send("/review/rules/revert", base=1, to=1, note="late")

    assert "Not published: bea published version 2 in the meantime." in after(admin, answer)
    assert live(world)[0].number == 2


def test_a_moderator_reads_and_changes_nothing(world: World) -> None:
    publish(world.store, with_lists())
    person = signed_in(world, "mia", Role.MODERATOR)

    assert "Version 1" in person.page("/review/rules")
    for path in ("confirm", "revert", "undo"):
        assert person.send(f"/review/rules/{path}", base=1, to=1, note="x").status_code == 403


# --- trying --------------------------------------------------------------------


def test_a_text_is_tried_and_shown_as_a_comment_is(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin"), says("hut", "aside", mode="shadow")))

    answer = ask(
        world, admin, "/review/rules/try", "/review/rules/try",
        text="A <b>zeppelin</b>\r\nin a hut", name="Ida",
    )  # fmt: skip

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "It would be held" in words(page)
    assert "10 / 10" in page
    assert "Says zeppelin decisive 10 points word" in words(page)
    assert "Says hut only counted aside" in words(page)
    assert '<mark title="Says zeppelin">zeppelin</mark>' in page
    assert "A &lt;b&gt;" in page
    assert world.count() == 0


def test_a_stored_comment_is_put_into_the_box(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    comment_id = world.judged_comment(body="A zeppelin\nof mine", author={"name": "Ida"})

    page = admin.page(f"/review/rules/try?comment={comment_id}")

    assert "A zeppelin\nof mine</textarea>" in page
    assert 'value="Ida"' in page


def test_what_cannot_be_tried_is_told_and_kept(build_world: Callable[..., World]) -> None:
    world = build_world({"CHECK_TIMEOUT": "1"})
    admin = signed_in(world)
    publish(world.store, ruleset(says("zeppelin")))

    nothing = admin.send("/review/rules/try", onto="/review/rules/try", name="Ida")
    unanswered = admin.send("/review/rules/try", onto="/review/rules/try", text="A zeppelin")

    assert (nothing.status_code, unanswered.status_code) == (422, 503)
    assert "No worker answered in time." in unanswered.get_data(as_text=True)
    assert "A zeppelin</textarea>" in unanswered.get_data(as_text=True)


def test_trying_takes_a_senior(world: World) -> None:
    person = signed_in(world, "mia", Role.MODERATOR)

    assert person.client.get("/review/rules/try").status_code == 403
    assert person.send("/review/rules/try", text="x").status_code == 403
