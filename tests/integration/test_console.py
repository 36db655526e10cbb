"""The review console as a browser without scripts sees it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from importlib import import_module
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from service.domain.decision import Decision, EventKind, Reason, Role
from service.storage.tables import comments, hits, verdicts
from service.web import remembered
from tests.support.signing_in import Person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

CANARY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{1337*1337}}"


@pytest.fixture
def person(world: World) -> Person:
    """A senior moderator at the console."""
    return signed_in(world)


def decide(
    person: Person, world: World, comment_id: CommentId, decision: str, **more: Any
) -> TestResponse:
    version = more.pop("version", world.row(comment_id).version)
    query = more.pop("query", "")
    return person.send(
        f"/review/{comment_id}/decision{query}", decision=decision, version=version, **more
    )


def after(client: FlaskClient, answer: TestResponse) -> str:
    """Return the text of the page that an answer leads to."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return unescape(client.get(answer.headers["Location"]).get_data(as_text=True))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no field {name}"
    return found[1]


def test_held_comments_are_listed_with_reasons_points_and_marks(
    world: World, person: Person
) -> None:
    world.held_comment(author={"name": "Ida", "email": "ida@mail.example"}, body=(
        "Look at http://one-shop.com and http://two-shop.com now"))  # fmt: skip

    page = person.page()

    assert "Ida" in page
    assert "2 links from an author without a proven record" in page
    assert re.search(r"decisive", page)
    assert re.search(r"1\d / 10", page)
    assert re.search(r"<mark title=\"[^\"]*links[^\"]*\">http://one-shop.com</mark>", page)
    assert "First comment" in page
    assert "An article" in page


def test_decisive_reasons_come_first(world: World, person: Person) -> None:
    world.held_comment(body="Look at http://one-shop.com and http://two-shop.com now\x80")

    page = person.page()

    assert page.index("several-links") < page.index("control-characters")


def test_lanes_count_their_comments(world: World, person: Person) -> None:
    world.held_comment()
    world.approved_comment()
    world.approved_comment()

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", person.page()))

    assert "Needs review 1 oldest under a minute" in page
    assert "Approved 2" in page
    assert "Spam 0" in page


@pytest.mark.parametrize(
    ("decision", "status", "told"),
    [
        ("approve", "approved", "Comment approved."),
        ("reject", "rejected", "Comment rejected."),
        ("spam", "spam", "Comment marked as spam."),
    ],
)
def test_a_button_decides_and_the_next_page_says_so(
    world: World, person: Person, decision: str, status: str, told: str
) -> None:
    comment_id = world.held_comment()

    answer = decide(person, world, comment_id, decision, reason="other", note="As discussed")

    assert told in after(person.client, answer)
    assert world.status(comment_id) == status
    event = world.events(comment_id)[-1]
    assert (event.actor, event.reason, event.note) == ("moderator:anna", "other", "As discussed")


def test_the_last_decision_is_undone_from_the_next_page(world: World, person: Person) -> None:
    comment_id = world.held_comment()
    page = after(person.client, decide(person, world, comment_id, "spam"))

    answer = person.send("/review/undo", event=hidden(page, "event"))

    assert "1 comment put back" in after(person.client, answer)
    assert world.status(comment_id) == "held"


def test_a_conflict_says_who_decided_what(world: World, person: Person) -> None:
    comment_id = world.held_comment()
    version = world.row(comment_id).version
    other, _ = world.second_moderator("bert")
    world.moderation.decide(
        comment_id, Decision.SPAM, moderator=other, version=version,
        reason=Reason.ADVERTISING, note="A shop",
    )  # fmt: skip

    page = after(person.client, decide(person, world, comment_id, "approve", version=version))

    assert "Not changed: bert moved this comment to “spam” first (advertising, “A shop”)." in page
    assert world.status(comment_id) == "spam"


def test_after_a_conflict_the_other_s_decision_can_be_overridden(
    world: World, person: Person
) -> None:
    comment_id = world.held_comment()
    other, _ = world.second_moderator("bert")
    world.moderation.decide(comment_id, Decision.SPAM, moderator=other, version=2)

    page = after(person.client, decide(person, world, comment_id, "approve", version=2))
    answer = decide(person, world, comment_id, "approve", version=hidden(page, "version"))

    assert "Override: approved after all" in page
    assert "Comment approved." in after(person.client, answer)
    assert world.status(comment_id) == "approved"


def test_selected_comments_are_decided_and_undone_together(world: World, person: Person) -> None:
    held = [world.held_comment() for _ in range(3)]

    answer = person.send("/review/decisions", decision="reject", ids=held[:2])
    page = after(person.client, answer)
    decided = [world.status(comment_id) for comment_id in held]
    undone = person.send("/review/undo", batch=hidden(page, "batch"))

    assert "2 comments rejected." in page
    assert decided == ["rejected", "rejected", "held"]
    assert "2 comments put back" in after(person.client, undone)
    assert [world.status(comment_id) for comment_id in held] == ["held"] * 3


def test_deciding_on_nothing_changes_nothing_and_says_so(world: World, person: Person) -> None:
    page = after(person.client, person.send("/review/decisions", decision="reject"))

    assert "No comment was selected." in page


def test_a_decision_leads_back_to_the_same_list(world: World, person: Person) -> None:
    comment_id = world.held_comment()

    answer = decide(
        person, world, comment_id, "spam", query="?status=all&q=see&next=//evil.example"
    )

    assert answer.headers["Location"] == "/review?status=all&q=see"


def test_filters_in_the_address_narrow_the_list(world: World, person: Person) -> None:
    world.held_comment(author={"name": "Ida"})
    world.held_comment(author={"name": "Otto"}, thread={"id": "football", "title": "Football"})

    page = person.page("/review?thread=football&category=spam")

    assert "Otto" in page
    assert "Ida" not in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/review", "Nothing waits for you."),
        ("/review?lane=spam", "No comments here."),
        ("/review?q=zzz", "No comment fits these filters."),
    ],
)
def test_an_empty_list_says_what_that_means(person: Person, path: str, words: str) -> None:
    assert words in person.page(path)


@pytest.mark.parametrize("query", ["status=lost", "color=red", "after=x", "min_age=x", "q=%00"])
def test_an_address_that_makes_no_sense_is_an_error_page(person: Person, query: str) -> None:
    answer = person.client.get(f"/review?{query}")

    assert answer.status_code == 422
    assert answer.mimetype == "text/html"


def test_the_next_page_begins_where_the_first_ends(world: World, person: Person) -> None:
    ids = [world.post_comment(body=f"See http://a-shop.com and http://b-shop.com {n}")
           for n in range(26)]  # fmt: skip
    world.run_worker_once()

    first = person.page()
    link = re.search(r'href="(/review\?[^"]*after=[^"]+)"', first)
    assert link
    second = person.page(unescape(link[1]))

    assert first.count('class="row"') == 25
    assert second.count('class="row"') == 1
    assert ids[-1] in second


def test_hostile_text_is_shown_as_text_wherever_it_stands(world: World, person: Person) -> None:
    comment_id = world.held_comment(
        author={"name": CANARY[:200], "url": "http://a-shop.com/<script>alert(1)</script>",
                "user_agent": CANARY, "referrer": CANARY},
        thread={"id": CANARY, "title": CANARY},
        body=f"{CANARY} http://one-shop.com http://two-shop.com",
    )  # fmt: skip

    for path in ("/review", f"/review/{comment_id}", "/review?q=" + "%3Cscript%3E"):
        page = person.page(path)
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "1787569" not in page.replace(comment_id, "")


def test_links_of_a_comment_are_never_live(world: World, person: Person) -> None:
    comment_id = world.held_comment(
        author={"url": "http://author-shop.com/"},
        body="See http://one-shop.com and http://two-shop.com",
    )

    for path in ("/review", f"/review/{comment_id}"):
        assert not re.search(r'(href|src|action)="(https?:)?//[^"]*shop\.com', person.page(path))


def test_hidden_characters_are_shown_as_marks(world: World, person: Person) -> None:
    parent = world.approved_comment(author={"name": "Paula\u202e"}, body="What\u202e was it like?")
    comment_id = world.held_comment(
        parent_id=parent,
        author={"name": "Ida\u202e"},
        body="gpj\u202eexe http://one-shop.com http://two-shop.com",
    )

    for path in ("/review", f"/review/{comment_id}"):
        text = re.sub(r'aria-label="[^"]*"|comment by [^<]*', "", person.page(path))
        body = text.partition("<article")[2]
        assert "\u202e" not in body
        assert body.count('title="Hidden character: Right-to-left override">U+202E</span>') >= 4


@pytest.mark.parametrize("role", Role)
def test_addresses_are_shown_to_senior_moderators_only(world: World, role: Role) -> None:
    person = signed_in(world, "otto", role)
    comment_id = world.held_comment(author={"email": "ida@mail.example", "ip": "10.9.8.7"})

    pages = person.page() + person.page(f"/review/{comment_id}")

    assert ("ida@mail.example" in pages) is (role is not Role.MODERATOR)
    assert ("10.9.8.7" in pages) is (role is not Role.MODERATOR)


def test_a_comment_s_page_tells_its_whole_story(world: World, person: Person) -> None:
    comment_id = world.held_comment()
    decide(person, world, comment_id, "reject", reason="off_topic", note="Not about football")

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", person.page(f"/review/{comment_id}")))

    assert "Arrived" in page
    assert "Held by the rules" in page
    assert "Rejected by anna: off topic, “Not about football”" in page
    assert "links.count" in page


def test_a_reply_is_shown_under_what_it_replies_to(world: World, person: Person) -> None:
    parent = world.approved_comment(author={"name": "Paula"}, body="What was it like?")
    world.held_comment(parent_id=parent)

    page = person.page()

    assert "Paula" in page
    assert "What was it like?" in page


def test_a_comment_without_text_can_be_looked_at_but_not_decided(
    world: World, person: Person
) -> None:
    comment_id = world.held_comment()
    world.moderation.erase(comment_id, actor="system")

    page = person.page(f"/review/{comment_id}")

    assert "The text was deleted." in page
    assert 'name="decision"' not in page


@pytest.mark.parametrize(
    "path", ["/review/{id}/decision", "/review/decisions", "/review/undo", "/logout"]
)
@pytest.mark.parametrize("how", ["no token", "wrong token", "from another site"])
def test_forged_requests_change_nothing(world: World, person: Person, path: str, how: str) -> None:
    comment_id = world.held_comment()
    fields = {"decision": "approve", "version": "2", "ids": comment_id, "event": "1"}
    headers = {}
    if how == "wrong token":
        fields["csrf_token"] = "made up"
    elif how == "from another site":
        fields["csrf_token"] = person.csrf_token()
        headers["Sec-Fetch-Site"] = "cross-site"

    answer = person.client.post(path.format(id=comment_id), data=fields, headers=headers)

    assert answer.status_code in (400, 403)
    assert answer.mimetype == "text/html"
    assert world.status(comment_id) == "held"
    assert person.client.get("/review").status_code == 200


@pytest.mark.parametrize("path", ["/review", "/review/decisions", "/review/undo"])
def test_strangers_are_led_to_the_sign_in_page(world: World, path: str) -> None:
    answer = world.client.open(path, method="GET" if path == "/review" else "POST")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize("path", ["/", "/login", "/review"])
def test_pages_carry_the_strict_headers(person: Person, path: str) -> None:
    headers = person.client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_the_start_page_names_the_doors(world: World) -> None:
    page = world.client.get("/").get_data(as_text=True)

    assert 'href="/review"' in page
    assert 'href="/docs"' in page
    assert "/demo" not in page


def test_one_key_s_button_rejects_for_a_reason(world: World, person: Person) -> None:
    comment_id = world.held_comment()

    person.send(f"/review/{comment_id}/decision", version=2, reject_because="threat")

    assert world.status(comment_id) == "rejected"
    assert world.events(comment_id)[-1].reason == "threat"


def test_a_rule_called_wrong_is_approved_and_counted_against_that_rule(
    world: World, person: Person
) -> None:
    comment_id = world.held_comment()

    answer = person.send(f"/review/{comment_id}/decision", version=2, wrong_rule="several-links")

    assert "“several-links” is wrong here" in after(person.client, answer)
    assert world.status(comment_id) == "approved"
    event = world.events(comment_id)[-1]
    assert (event.kind, event.note, event.version) == (EventKind.RULE_WRONG, "several-links", 3)
    assert "Rule several-links called wrong here by <bdi>anna</bdi>" in person.page(
        f"/review/{comment_id}"
    )


def test_a_decision_that_says_nothing_is_refused(world: World, person: Person) -> None:
    comment_id = world.held_comment()

    answer = person.send(f"/review/{comment_id}/decision", version=2)

    assert answer.status_code == 422
    assert world.status(comment_id) == "held"


def test_deciding_leads_on_to_the_next_comment(world: World, person: Person) -> None:
    first, second = world.held_comment(), world.held_comment()

    answer = person.send(f"/review/{first}/decision", decision="spam", version=2, next=second)

    assert answer.headers["Location"] == f"/review?open={second}"


def test_the_next_comment_is_one_that_nobody_else_has_open(world: World, person: Person) -> None:
    first, second = world.held_comment(), world.held_comment()
    world.services.claims.take(second, "bert")

    answer = person.send(f"/review/{first}/decision", decision="spam", version=2, next=second)

    assert answer.headers["Location"] == "/review"


def test_a_comment_that_somebody_has_open_says_so_and_is_opened_last(
    world: World, person: Person
) -> None:
    first, second = world.held_comment(), world.held_comment()
    other = signed_in(world, "bert")
    other.page(f"/review?open={first}")

    page = person.page()

    assert f'data-comment="{second}"' in page
    assert "<bdi>bert</bdi> has it open" in page
    assert "<bdi>bert</bdi> has this comment open." in person.page(f"/review?open={first}")


def test_opening_another_comment_gives_up_the_first(world: World, person: Person) -> None:
    first, second = world.held_comment(), world.held_comment()

    person.page(f"/review?open={first}")
    person.page(f"/review?open={second}")

    assert world.services.claims.held() == {second: "anna"}


def test_working_on_a_comment_keeps_it_claimed(world: World, person: Person) -> None:
    comment_id = world.held_comment()

    answer = person.send(f"/review/{comment_id}/claim")

    assert answer.status_code == 204
    assert world.services.claims.held() == {comment_id: "anna"}


@pytest.mark.parametrize(
    ("claimed", "names"), [("mine", ["Ida"]), ("others", ["Otto"]), ("nobody", ["Paul"])]
)
def test_the_list_is_narrowed_by_who_has_comments_open(
    world: World, person: Person, claimed: str, names: list[str]
) -> None:
    ids = [world.held_comment(author={"name": name}) for name in ("Ida", "Otto", "Paul")]
    world.services.claims.take(ids[0], "anna")
    world.services.claims.take(ids[1], "bert")

    page = person.page(f"/review?claimed={claimed}")

    assert [name for name in ("Ida", "Otto", "Paul") if f"<strong><bdi>{name}" in page] == names


def test_undo_takes_back_the_last_of_one_s_own_decisions_again_and_again(
    world: World, person: Person
) -> None:
    ids = [world.held_comment() for _ in range(3)]
    other, _ = world.second_moderator("bert")
    for comment_id in ids[:2]:
        decide(person, world, comment_id, "spam")
    world.moderation.decide(ids[2], Decision.SPAM, moderator=other, version=2)

    told = [after(person.client, person.send("/review/undo")) for _ in range(3)]

    assert "1 comment put back" in told[0]
    assert "1 comment put back" in told[1]
    assert "There is no decision of yours left to undo." in told[2]
    assert [world.status(comment_id) for comment_id in ids] == ["held", "held", "spam"]


def test_undo_takes_a_whole_batch_back(world: World, person: Person) -> None:
    ids = [world.held_comment() for _ in range(3)]
    person.send("/review/decisions", decision="reject", ids=ids)

    page = after(person.client, person.send("/review/undo"))

    assert "3 comments put back" in page


def test_notes_are_left_on_comments_and_on_authors(world: World, person: Person) -> None:
    first = world.held_comment(author={"email": "ida@mail.example"})
    second = world.held_comment(author={"email": "ida@mail.example"})
    path = f"/review/{first}/notes"

    person.send(path, onto=f"/review/{first}", text="Asked the editors", about="comment")
    person.send(path, onto=f"/review/{first}", text="Writes often", about="author")

    assert "Asked the editors" in person.page(f"/review/{first}")
    other = person.page(f"/review/{second}")
    assert "Asked the editors" not in other
    assert "Writes often" in other
    assert "Writes often" in person.page(f"/review/authors/{second}")


def test_only_its_writer_deletes_a_note(world: World, person: Person) -> None:
    comment_id = world.held_comment()
    page = after(person.client, person.send(f"/review/{comment_id}/notes", text="Mine"))
    path = re.search(r"/review/[^\"]+/notes/\d+/drop", page)
    assert path

    signed_in(world, "bert").send(path[0])
    kept = person.page(f"/review/{comment_id}")
    person.send(path[0])

    assert "Mine" in kept
    assert "Mine" not in person.page(f"/review/{comment_id}")


def test_erasing_a_comment_erases_the_notes_on_it(world: World, person: Person) -> None:
    comment_id = world.held_comment()
    person.send(f"/review/{comment_id}/notes", text="Quotes it")

    world.moderation.erase(comment_id, actor="system")

    assert "Quotes it" not in person.page(f"/review/{comment_id}")


@pytest.mark.parametrize(("asked", "found"), [("10.9.8.7", True), ("IDA@mail.example", True),
                                              ("10.9.8.8", False)])  # fmt: skip
@pytest.mark.parametrize("role", [Role.MODERATOR, Role.SENIOR])
@pytest.mark.parametrize("indexed", [True, False])
def test_addresses_are_searched_only_by_those_who_may_see_them(
    world: World, role: Role, asked: str, found: bool, indexed: bool
) -> None:
    person = signed_in(world, "otto", role)
    comment_id = world.held_comment(author={"email": "ida@mail.example", "ip": "10.9.8.7"})
    if indexed:
        world.moderation.index()

    page = person.page(f"/review?lane=all&q={asked}")

    assert (f"open={comment_id}" in page) is (found and role is Role.SENIOR)


def test_the_author_s_page_lists_what_they_wrote(world: World, person: Person) -> None:
    address = {"email": "ida@mail.example"}
    world.approved_comment(author=address, body="The first thing I said.")
    comment_id = world.held_comment(author=address)
    world.approved_comment(body="Somebody else said this.")

    page = person.page(f"/review/authors/{comment_id}")

    assert "2 comments, 1 approved" in page
    assert "The first thing I said." in page
    assert "Somebody else" not in page


def test_severe_abuse_is_hidden_until_asked_for(world: World) -> None:
    comment_id = world.held_comment()
    evidence = world.verdict(comment_id)
    evidence["totals"]["abuse"] = {"points": 20, "hold_at": 10}
    evidence["hits"].append(evidence["hits"][0] | {"rule": "threats", "category": "abuse"})
    with world.store.write() as db:
        db.execute(sa.update(verdicts).values(evidence=evidence))
        db.execute(sa.update(comments).values(severity=2, spam_only=False))
        db.execute(sa.update(hits).values(category="abuse"))
    person = signed_in(world, "otto")

    hushed = person.page()
    person.send("/review/account/preferences", theme="system", break_after="0")
    open_ = person.page()

    assert "Hidden: severe abuse" in hushed
    assert "Severe abuse is hidden." in hushed
    assert "Severe abuse is hidden." not in open_


def test_a_break_is_suggested_after_many_decisions(world: World) -> None:
    person = signed_in(world, "otto")
    person.send("/review/account/preferences", theme="system", break_after="2")
    ids = [world.held_comment() for _ in range(3)]

    pages = [after(person.client, decide(person, world, each, "spam")) for each in ids[:2]]

    assert ["A break?" in page for page in pages] == [False, True]


def test_a_worker_shows_what_the_filter_saw(build_world: Callable[..., World]) -> None:
    world = build_world({"CHECK_TIMEOUT": "1"})
    person = signed_in(world)
    comment_id = world.held_comment()

    page = person.page(f"/review/{comment_id}?folded=1")

    assert "No worker answered. Please try again." in page


def test_the_numbers_can_be_read_without_the_charts(world: World, person: Person) -> None:
    world.approved_comment()
    decide(person, world, world.held_comment(), "approve")

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", person.page("/review/numbers?days=7")))

    assert "Comments judged 2" in page
    assert "Approved automatically 50 %" in page
    assert "several-links 1 (100 %) 1" in page
    assert "anna 1" in page
    assert "Half waited less than under a minute" in page


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/review/numbers?days=7", "service.web.numbers.numbers"),
        ("/review/rules/quality?days=7", "service.web.rules.quality_report"),
    ],
)
def test_a_count_that_takes_long_is_told_and_looked_at_again(
    person: Person, monkeypatch: pytest.MonkeyPatch, path: str, counts: str
) -> None:
    figures = {"numbers": "Comments judged", "quality": "No rules are live yet."}
    shown = next(words for name, words in figures.items() if name in path)
    again = f'data-again="{path}"'
    go = hold_up(monkeypatch, counts)
    with impatience(monkeypatch):
        first = person.page(path)
    go.set()
    counted = person.page(path)

    assert "Being counted." in first
    assert again in first
    assert shown not in first
    assert shown in counted
    assert "As of <time" in counted
    assert "data-again" not in counted


def test_old_numbers_are_told_with_their_time_until_there_are_new_ones(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_FRESH_SECONDS", 0.0)
    person.page("/review/numbers?days=7")
    world.approved_comment()
    go = hold_up(monkeypatch, "service.web.numbers.numbers")
    with impatience(monkeypatch):
        old = person.page("/review/numbers?days=7")
    go.set()
    new = person.page("/review/numbers?days=7")

    assert "<dt>Comments judged</dt><dd>0</dd>" in old
    assert "being counted anew" in old
    assert 'data-again="/review/numbers?days=7"' in old
    assert "<dt>Comments judged</dt><dd>1</dd>" in new


def hold_up(monkeypatch: pytest.MonkeyPatch, counts: str) -> Event:
    """Have a count wait until what is returned is set."""
    go = Event()
    module, name = counts.rsplit(".", 1)
    count = getattr(import_module(module), name)

    def late(*given: Any) -> Any:
        assert go.wait(30)
        return count(*given)

    monkeypatch.setattr(counts, late)
    return go


@contextmanager
def impatience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no page within the block wait for a count."""
    with monkeypatch.context() as patch:
        patch.setattr(remembered, "_PATIENCE_SECONDS", 0.0)
        yield


@pytest.mark.parametrize("query", ["days=8", "days=-1", "days=x"])
def test_numbers_are_of_periods_that_there_are(person: Person, query: str) -> None:
    assert person.client.get(f"/review/numbers?{query}").status_code == 422
