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


# --- lists ---------------------------------------------------------------------

BAD = "/review/rules/lists/bad"


def test_a_list_is_shown_with_its_exceptions_and_who_uses_it(world: World, admin: Person) -> None:
    publish(world.store, with_lists("# Things that fly\nzeppelin\n", "a zeppelin of lead\n"))

    page = words(admin.page(BAD))

    assert "Things that fly" in page
    assert "Looked for by listed" in page
    assert "1 entry Remove zeppelin" in page
    assert "But not: fine" in page
    assert "a zeppelin of lead" in page
    assert "Passed over by listed" in words(admin.page("/review/rules/lists/fine"))
    assert admin.client.get("/review/rules/lists/none").status_code == 404


def test_entries_are_found_in_one_list_and_in_all(world: World, admin: Person) -> None:
    entries = "".join(f"word number {n}\n" for n in range(250))
    publish(world.store, with_lists(entries, "word for word\n"))

    assert "11 of 250 entries" in words(admin.page(f"{BAD}?q=Number+24"))
    assert "No entry has that." in admin.page(f"{BAD}?q=zeppelin")
    assert "word number 249" in admin.page(f"{BAD}?page=3")
    everywhere = words(admin.page("/review/rules/lists?q=FOR"))
    assert "1 entry with “FOR” Entry List word for word fine" in everywhere


def test_adding_publishes_with_a_note_and_workers_judge_by_it(world: World, admin: Person) -> None:
    publish(world.store, with_lists("# Flying\nzeppelin\n"))

    answer = ask(world, admin, BAD, BAD, add="balloon\r\n\r\n airship \r\nzeppelin")

    assert "List bad: added balloon, airship, zeppelin. Version 2 is live." in after(admin, answer)
    version, source = live(world)
    assert (version.author, version.note) == (
        "moderator:anna",
        "list bad: added balloon, airship, zeppelin",
    )
    assert source.lists["lists/bad.txt"] == "# Flying\nzeppelin\nballoon\nairship\n"
    assert world.status(world.judged_comment(body="An airship")) == "held"


def test_removing_is_undone_by_its_button(world: World, admin: Person) -> None:
    publish(world.store, with_lists("zeppelin\nballoon # of air\n"))

    page = after(admin, ask(world, admin, BAD, BAD, remove="balloon"))
    removed = live(world)[1].lists["lists/bad.txt"]
    undone = after(admin, admin.send("/review/rules/undo", version=2))

    assert "List bad: removed balloon. Version 2 is live." in page
    assert removed == "zeppelin\n"
    assert "Taken back: list bad: removed balloon. Version 3 is live." in undone
    assert live(world)[1] == with_lists("zeppelin\nballoon # of air\n")


def test_the_key_for_undo_takes_a_list_entry_back_and_then_a_decision(
    world: World, admin: Person
) -> None:
    publish(world.store, with_lists())
    comment_id = world.judged_comment(body="A zeppelin")
    bert = signed_in(world, "bert")
    version = world.row(comment_id).version
    bert.send(f"/review/{comment_id}/decision", decision="approve", version=version)
    ask(world, bert, BAD, BAD, add="balloon")

    first = after(bert, bert.send("/review/undo"))
    second = after(bert, bert.send("/review/undo"))

    assert "Taken back: list bad: added balloon." in first
    assert live(world)[1] == with_lists()
    assert "1 comment put back" in second
    assert world.status(comment_id) == "held"


def test_what_was_published_over_cannot_be_taken_back(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    ask(world, admin, BAD, BAD, add="balloon")
    publish(world.store, with_lists("other\n"), author="moderator:bea")

    answer = admin.send("/review/rules/undo", version=2)

    assert "bea published version 3 in the meantime." in after(admin, answer)
    assert live(world)[0].number == 3


def test_a_change_that_is_none_publishes_nothing(world: World, admin: Person) -> None:
    publish(world.store, with_lists())

    assert "The list is so already." in after(admin, admin.send(BAD, add="zeppelin"))
    assert "The list is so already." in after(admin, admin.send(BAD, remove="balloon"))
    assert live(world)[0].number == 1


def test_an_entry_that_cannot_be_is_told_and_kept(world: World, admin: Person) -> None:
    publish(world.store, with_lists())

    answer = ask(world, admin, BAD, BAD, add="balloon\nab")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "lists/bad.txt:3:1 “ab” is too short" in words(page)
    assert "balloon\nab</textarea>" in page
    assert live(world)[0].number == 1
    assert admin.send(BAD, add="# not an entry").status_code == 422


def test_a_new_list_is_made_and_used_by_nothing(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    path = "/review/rules/lists"

    page = after(admin, ask(world, admin, path, path, name="birds", add="a robin\nan owl"))

    assert "List birds: added a robin, an owl. Version 2 is live." in page
    assert "Used by no rule yet" in page
    assert admin.send(path, name="bad", add="x").status_code == 422
    assert admin.send(path, name="../etc", add="x").status_code == 422


def test_seniors_keep_lists_and_moderators_read_them(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    senior, person = signed_in(world, "sam", Role.SENIOR), signed_in(world, "mia", Role.MODERATOR)

    assert "Version 2 is live." in after(senior, ask(world, senior, BAD, BAD, add="balloon"))
    assert "Remove" not in person.page(BAD)
    assert person.send(BAD, add="airship").status_code == 403
