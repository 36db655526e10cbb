"""The rules pages of the console as a browser without scripts sees them."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from service.domain.clock import utc_now
from service.domain.decision import Decision, Role
from service.domain.ruleset import Hindrance, RulesetSource, RulesetVersion, RuleState
from service.jobs import CHECK, TRIALS
from service.storage import rulesets
from service.storage.tables import trials
from tests.support.signing_in import Person, signed_in
from tests.support.versions import publish, rule, ruleset, says
from tests.support.world import World, bearer

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
    assert admin.send(path, name="blank", add=" \n ").status_code == 422


def test_an_entry_goes_as_the_list_has_it(world: World, admin: Person) -> None:
    odd = "cafe\u0301"
    publish(world.store, with_lists(bad=f"balloon\n{odd}\n"))

    page = after(admin, ask(world, admin, BAD, BAD, remove=odd))

    assert "Version 2 is live." in page
    assert odd not in words(admin.page(BAD))


def test_seniors_keep_lists_and_moderators_read_them(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    senior, person = signed_in(world, "sam", Role.SENIOR), signed_in(world, "mia", Role.MODERATOR)

    assert "Version 2 is live." in after(senior, ask(world, senior, BAD, BAD, add="balloon"))
    assert "Remove" not in person.page(BAD)
    assert person.send(BAD, add="airship").status_code == 403


# --- the text ------------------------------------------------------------------

EDIT = "/review/rules/edit"


def edit(world: World, person: Person, text: str, **fields: Any) -> TestResponse:
    """Send the editor's form, lines ended as browsers end them."""
    sent = {"base": 1, "text": text.replace("\n", "\r\n")} | fields
    return ask(world, person, EDIT, EDIT, **sent)


def test_the_editor_shows_every_mistake_in_its_line_and_keeps_the_text(
    world: World, admin: Person
) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    bad = ruleset(says("zeppelin", points=11), rule("{ phrases: x }", "other", mode="shy")).rules

    answer = edit(world, admin, bad, do="check")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.search(r"\b[3-9] mistakes\.", words(page))
    assert "8:13" in words(page)
    assert "unknown condition “phrases” (did you mean “phrase”?)" in words(page)
    assert re.search(r'<mark id="L8" class="error">8</mark>', page)
    assert unescape(page).count(bad) == 1
    assert live(world)[0].number == 1


def test_a_good_text_is_checked_with_what_it_changes(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    page = edit(world, admin, ruleset(says("balloon")).rules, do="check").get_data(as_text=True)

    assert "No mistakes. All tests of the 1 rules pass." in words(page)
    assert "Rules: word" in words(page)
    assert "<ins>+    when: { phrase: balloon }</ins>" in page
    assert live(world)[0].number == 1


def test_publishing_takes_a_note_and_judges_by_the_text(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    text = ruleset(says("balloon")).rules

    without = edit(world, admin, text, do="publish")
    answer = edit(world, admin, text, do="publish", note="Balloons now")

    assert without.status_code == 422
    assert "Please say in a note what is changed, and why." in words(without.get_data(as_text=True))
    assert "Published. Version 2 is live." in after(admin, answer)
    version, source = live(world)
    assert (version.note, source.rules) == ("Balloons now", text)
    assert world.status(world.judged_comment(body="A balloon")) == "held"


def test_the_text_of_what_is_live_is_not_published_again(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    answer = edit(world, admin, ruleset(says("zeppelin")).rules, do="publish", note="x")

    assert "The text says what is live already." in words(answer.get_data(as_text=True))


def test_whoever_comes_second_sees_the_other_s_change_and_may_publish_over_it(
    world: World, admin: Person
) -> None:
    publish(world.store, ruleset(says("one")))
    publish(world.store, ruleset(says("two")), author="moderator:bea")
    text = ruleset(says("three")).rules

    answer = edit(world, admin, text, do="publish", note="Mine")
    page = answer.get_data(as_text=True)
    over = edit(world, admin, text, do="publish", note="Mine", base=2)

    assert answer.status_code == 409
    assert "bea published version 2 since you began" in words(page)
    assert "<ins>+    when: { phrase: two }</ins>" in page
    assert "<del>-    when: { phrase: two }</del>" in page
    assert "<ins>+    when: { phrase: three }</ins>" in page
    assert 'name="base" value="2"' in page
    assert "Publish over version 2" in page
    assert "Version 3 is live." in after(admin, over)


def test_a_text_is_tried_on_a_comment_before_it_is_live(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    text = ruleset(says("balloon")).rules

    page = edit(world, admin, text, do="try", try_text="A balloon").get_data(as_text=True)

    assert "It would be held" in words(page)
    assert '<mark title="Says balloon">balloon</mark>' in page


def test_seniors_publish_shadow_rules_from_the_text(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    senior = signed_in(world, "sam", Role.SENIOR)
    aside = ruleset(says("zeppelin"), says("balloon", "aside", mode="shadow")).rules
    decides = ruleset(says("zeppelin"), says("balloon", "aside")).rules

    refused = edit(world, senior, decides, do="publish", note="x")
    allowed = edit(world, senior, aside, do="publish", note="To look at")

    assert refused.status_code == 403
    assert "this takes an admin" in refused.get_data(as_text=True)
    assert "Version 2 is live." in after(senior, allowed)
    assert signed_in(world, "mia", Role.MODERATOR).client.get(EDIT).status_code == 403


def test_a_list_is_edited_as_text_too(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    path = "lists/bad.txt"

    answer = edit(world, admin, "# Flying\nballoon\n", file=path, do="publish", note="Others")

    assert "Version 2 is live." in after(admin, answer)
    assert "# Flying\nballoon\n</textarea>" in admin.page(f"{EDIT}?file={path}")
    assert live(world)[1].lists[path] == "# Flying\nballoon\n"


# --- trials --------------------------------------------------------------------

TRIALS_PAGE = "/review/rules/trials"


def decided(world: World, text: str, decision: Decision) -> None:
    """Store a comment that a person decided on."""
    comment_id = world.judged_comment(body=text)
    world.moderation.decide_many([comment_id], decision, moderator=world.moderator)


def test_entries_are_tried_then_published_then_taken_back(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    for n in range(3):
        decided(world, f"A balloon, kindly {n}", Decision.APPROVE)
    decided(world, "A balloon for sale", Decision.SPAM)
    world.judged_comment(body="A balloon that nobody looked at")

    begun = ask(world, admin, TRIALS_PAGE, TRIALS_PAGE, list="bad", add="balloon", days=30)
    waiting = after(admin, begun)
    world.run_worker_once(TRIALS)
    path = begun.headers["Location"]
    page = admin.page(path)
    answer = ask(world, admin, f"{path}/publish", path)

    assert "Waiting for a worker" in waiting
    assert "It would have held 5 more in 30 days." in words(page)
    assert "3 of them people approved, 1 they rejected, 1 nobody decided on." in words(page)
    assert "It would have approved 0 more." in words(page)
    assert "A balloon, kindly 2" in page
    assert "<svg" in page
    assert "5 of 5 comments could be judged again." in words(page)
    assert "Published: list bad: added balloon. Version 2 is live." in after(admin, answer)
    assert live(world)[1] == with_lists("zeppelin\nballoon\n")
    assert "list bad: added balloon" in words(admin.page(TRIALS_PAGE))


def test_entries_go_onto_whatever_is_live_by_then(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    begun = ask(world, admin, TRIALS_PAGE, TRIALS_PAGE, list="bad", add="balloon")
    world.run_worker_once(TRIALS)
    publish(world.store, with_lists("airship\n"))
    path = begun.headers["Location"]

    after(admin, ask(world, admin, f"{path}/publish", path))

    assert live(world)[1] == with_lists("airship\nballoon\n")


def test_a_draft_is_tried_and_published_from_its_trial(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    world.judged_comment(body="A zeppelin")
    text = ruleset(says("balloon")).rules

    begun = edit(world, admin, text, do="trial", days=7, note="Balloons now")
    world.run_worker_once(TRIALS)
    path = begun.headers["Location"]
    page = words(admin.page(path))
    answer = admin.send(f"{path}/publish", onto=path, note="Balloons, truly")

    assert "It would have approved 1 more." in page
    assert "Published: Balloons, truly. Version 2 is live." in after(admin, answer)
    assert live(world)[1].rules == text


def test_a_draft_of_what_is_not_live_any_more_is_not_published(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("one")))
    begun = edit(world, admin, ruleset(says("two")).rules, do="trial", note="x")
    world.run_worker_once(TRIALS)
    publish(world.store, ruleset(says("three")), author="moderator:bea")
    path = begun.headers["Location"]

    answer = admin.send(f"{path}/publish", onto=path, note="x")

    assert "bea published version 2 in the meantime" in after(admin, answer)


def test_a_trial_that_failed_says_so(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    begun = ask(world, admin, TRIALS_PAGE, TRIALS_PAGE, list="bad", add="balloon")
    with world.store.write() as db:
        db.execute(sa.update(trials).values(options={}))
    world.run_worker_once(TRIALS)

    assert "The trial failed (KeyError)" in admin.page(begun.headers["Location"])


def test_entries_that_cannot_be_tried_are_told(world: World, admin: Person) -> None:
    publish(world.store, with_lists())

    bad = ask(world, admin, TRIALS_PAGE, TRIALS_PAGE, list="bad", add="ab")
    known = admin.send(TRIALS_PAGE, onto=TRIALS_PAGE, list="bad", add="zeppelin")

    assert bad.status_code == 422
    assert "“ab” is too short" in words(bad.get_data(as_text=True))
    assert "The list has that already." in after(admin, known)
    assert admin.send(TRIALS_PAGE, onto=TRIALS_PAGE, list="none", add="x").status_code == 404


def test_trials_of_labelled_comments_are_shown(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    rows = [{"text": "A zeppelin", "hold": True}, {"text": "Calm", "hold": False}]
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(
            world.client.post, "/v1/rules/trials", json={"kind": "corpus", "rows": rows},
            headers=bearer(world.token),
        )  # fmt: skip
        while not asked.done():
            world.run_worker_once(CHECK)
    world.run_worker_once(TRIALS)

    page = words(admin.page(f"{TRIALS_PAGE}/{asked.result().get_json()['id']}"))

    assert "Of 1 to hold it holds 100.0 %; of 1 to publish it holds 0.0 % wrongly." in page


def test_moderators_read_trials_and_begin_none(world: World) -> None:
    publish(world.store, with_lists())
    person = signed_in(world, "mia", Role.MODERATOR)

    assert "None yet." in person.page(TRIALS_PAGE)
    assert person.send(TRIALS_PAGE, list="bad", add="balloon").status_code == 403


# --- quality -------------------------------------------------------------------


def test_how_each_rule_does_is_told_and_drawn(world: World, admin: Person) -> None:
    publish(world.store, ruleset(says("zeppelin"), says("balloon", "other"), says("x", "quiet")))
    for n in range(3):
        decided(world, f"A zeppelin and a balloon {n}", Decision.SPAM)
    decided(world, "A zeppelin, kindly", Decision.APPROVE)

    page = admin.page("/review/rules/quality?days=7")

    assert "2 rules noticed something in 4 comments" in words(page)
    assert re.search(r"word 4 before 0 1 4 75 % 30–95 [^<]*1 75 %", words(page))
    assert "1 rule without a hit quiet" in words(page)
    assert "75%, between 30% and 95%" in page
    assert "No rules are live yet." not in page


def test_without_rules_there_is_no_quality(admin: Person) -> None:
    assert "No rules are live yet." in admin.page("/review/rules/quality")


# --- from a comment to a list --------------------------------------------------


def test_a_word_of_a_comment_goes_onto_a_list_by_way_of_a_trial(
    world: World, admin: Person
) -> None:
    publish(world.store, with_lists())
    comment_id = world.judged_comment(body="A balloon for everybody")

    card = admin.page(f"/review/{comment_id}")
    path = f"{TRIALS_PAGE}?comment={comment_id}&entry=balloon"
    form = admin.page(path)
    fields = {"comment": comment_id, "list": "bad", "add": "balloon"}
    begun = ask(world, admin, TRIALS_PAGE, path, **fields)
    world.run_worker_once(TRIALS)
    trial = begun.headers["Location"]
    told = words(admin.page(trial))
    answer = ask(world, admin, f"{trial}/publish", trial)

    assert f'action="{TRIALS_PAGE}"' in card
    assert "balloon</textarea>" in form
    assert "A balloon for everybody" in form
    assert "It would have held 1 more in 30 days." in told
    assert answer.headers["Location"] == f"/review/{comment_id}"
    page = after(admin, answer)
    assert "Published: list bad: added balloon. Version 2 is live." in page
    assert "Undo" in page


def test_undoing_what_began_at_a_comment_leads_back_to_it(world: World, admin: Person) -> None:
    publish(world.store, with_lists())
    comment_id = world.judged_comment(body="A balloon for everybody")
    path = f"{TRIALS_PAGE}?comment={comment_id}&entry=balloon"
    fields = {"comment": comment_id, "list": "bad", "add": "balloon"}
    trial = ask(world, admin, TRIALS_PAGE, path, **fields).headers["Location"]
    world.run_worker_once(TRIALS)
    published = ask(world, admin, f"{trial}/publish", trial)

    page = admin.page(published.headers["Location"])
    undo = page[page.index('action="/review/rules/undo"') :]
    sent = dict(re.findall(r'name="(version|back)" value="([^"]*)"', undo)[:2])
    undone = admin.send("/review/rules/undo", **sent)

    assert sent == {"version": "2", "back": f"/review/{comment_id}"}
    assert undone.headers["Location"] == f"/review/{comment_id}"
    assert "Taken back: list bad: added balloon. Version 3 is live." in after(admin, undone)


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/review", "//elsewhere.example", "/login", "/review\r\nX: y"]
)
def test_undoing_leads_nowhere_else(world: World, admin: Person, back: str) -> None:
    publish(world.store, with_lists())
    ask(world, admin, BAD, BAD, add="balloon")

    answer = admin.send("/review/rules/undo", version=2, back=back)

    assert answer.headers["Location"] == "/review/rules/history"


def test_domains_of_a_comment_are_offered(world: World, admin: Person) -> None:
    comment_id = world.held_comment(body="See http://one-shop.com and http://two-shop.com")
    path = f"{TRIALS_PAGE}?comment={comment_id}&entry=one-shop.com"

    assert path.replace("&", "&amp;") in admin.page(f"/review/{comment_id}")
    page = admin.page(path)
    assert page.index('label="Domains"') < page.index('label="Words and phrases"')


def test_moderators_are_not_offered_what_they_may_not(world: World) -> None:
    comment_id = world.judged_comment(body="A balloon")
    other = signed_in(world, "mia", Role.MODERATOR)

    assert "Add to a list" not in other.page(f"/review/{comment_id}")


def test_the_author_s_line_tells_the_how_manieth_comment_it_is(world: World, admin: Person) -> None:
    author = {"name": "Ida", "email": "ida@mail.example"}
    ids = [world.judged_comment(body=f"Remark {n}", author=author) for n in range(3)]
    world.moderation.decide_many(ids[1:2], Decision.REJECT, moderator=world.moderator)

    last, first = (words(admin.page(f"/review/{each}")) for each in (ids[2], ids[0]))

    assert "3rd comment, 2 approved, 1 rejected, first seen just now" in last
    assert "1st of 3 comments, 2 approved, 1 rejected" in first
