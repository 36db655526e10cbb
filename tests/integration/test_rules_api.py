"""The rules API: read, check, try, test, publish and go back, by role."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from service.domain.clock import utc_now
from service.domain.decision import Decision, Role
from service.domain.ruleset import Hindrance, RuleState
from service.jobs import CHECK, TRIALS
from service.storage import rulesets
from service.storage.tables import ruleset_versions, trials
from tests.support.installation import Installation
from tests.support.versions import publish, rule, ruleset, says
from tests.support.waiting import wait_until
from tests.support.world import World, bearer

CALM = "I see it otherwise, politely."


@pytest.fixture
def dialect() -> str:
    """One database is enough here: the contract suite has what is stored over both."""
    return "sqlite"


def get(world: World, path: str, token: str = "", **query: Any) -> TestResponse:
    return world.client.get(
        f"/v1/rules{path}", query_string=query, headers=bearer(token or world.token)
    )


def send(world: World, path: str, payload: Any, token: str = "") -> TestResponse:
    """Post without a worker; for what is answered before one is asked."""
    return world.client.post(f"/v1/rules{path}", json=payload, headers=bearer(token or world.token))


def ask(world: World, path: str, payload: Any, token: str = "") -> TestResponse:
    """Post while a worker serves the queue of checks."""
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(send, world, path, payload, token)
        while not answer.done():
            world.run_worker_once(CHECK)
        return answer.result()


def good(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


# --- reading -------------------------------------------------------------------


def test_the_live_ruleset_tells_its_rules_and_which_were_put_aside(world: World) -> None:
    version = publish(world.store, ruleset(says("zeppelin"), says("balloon", "other", points=4)))
    state = RuleState("word", Hindrance.BRAKED, "Held 9 of 100", utc_now())
    with world.store.write() as db:
        rulesets.add_state(db, version.number, state)

    told = good(get(world, ""))

    assert told["version"]["hash"] == version.hash
    assert told["version"]["changed"] == ["word", "other"]
    assert told["rules"][1] == {
        "id": "other",
        "category": "spam",
        "points": 4,
        "mode": "live",
        "why": "Says {match}",
    }
    [put_aside] = told["states"]
    assert (put_aside["rule"], put_aside["state"]) == ("word", "braked")


def test_before_the_first_version_there_is_nothing_to_see(world: World) -> None:
    assert get(world, "").status_code == 404
    assert good(get(world, "/versions")) == {"versions": [], "next": None}
    assert good(get(world, "/quality"))["rules"] == []


def test_the_history_goes_page_by_page(world: World) -> None:
    for word in ("one", "two", "three"):
        publish(world.store, ruleset(says(word)), note=word)

    first = good(get(world, "/versions", limit=2))
    second = good(get(world, "/versions", limit=2, before=first["next"]))

    notes = [version["note"] for page in (first, second) for version in page["versions"]]
    assert notes == ["three", "two", "one"]
    assert second["next"] is None


def test_a_version_has_its_content_and_what_it_changed(world: World) -> None:
    publish(world.store, ruleset(says("one"), bad="a\n"))
    publish(world.store, ruleset(says("one"), bad="a\nb\n"))

    told = good(get(world, "/versions/2"))

    assert told["lists"] == {"lists/bad.txt": "a\nb\n"}
    assert told["rules"].startswith("format: 1")
    assert told["diff"].splitlines()[-1] == "+b"
    for number in (3, 0, 2**31, 10**30):
        assert get(world, f"/versions/{number}").status_code == 404


# --- roles ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("get", "", Role.MODERATOR),
        ("get", "/versions", Role.MODERATOR),
        ("get", "/quality", Role.MODERATOR),
        ("get", "/trials", Role.MODERATOR),
        ("post", "/check", Role.SENIOR),
        ("post", "/try", Role.SENIOR),
        ("post", "/trials", Role.SENIOR),
        ("post", "/publish", Role.SENIOR),
        ("post", "/revert", Role.SENIOR),
    ],
)
def test_who_may_do_what(world: World, method: str, path: str, least: Role) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    for role in Role:
        _, token = world.second_moderator(f"a-{role}", role)
        headers = bearer(token)
        request = getattr(world.client, method)
        more = {} if method == "get" else {"json": {"nonsense": 1}}
        status = request(f"/v1/rules{path}", headers=headers, **more).status_code
        # What is let through fails on its nonsense.
        allowed = list(Role).index(role) >= list(Role).index(least)
        assert status == ((200 if method == "get" else 422) if allowed else 403), role
    assert getattr(world.client, method)(f"/v1/rules{path}").status_code == 401


# --- checking and trying -------------------------------------------------------


def test_a_draft_is_checked_with_every_mistake_in_its_place(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    bad = ruleset(says("zeppelin", points=11), says("balloon", "other", mode="shy")).rules

    told = good(ask(world, "/check", {"rules": bad}))

    assert told["runs"] is False
    errors = [problem for problem in told["problems"] if problem["severity"] == "error"]
    assert [(problem["file"], problem["line"]) for problem in errors] == [
        ("rules.yaml", 8),
        ("rules.yaml", 17),
    ]


def test_a_draft_tells_which_rules_it_changes(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin"), says("other", "other")))
    draft = ruleset(says("zeppelin"), says("another", "other"), says("new", "new"))

    told = good(ask(world, "/check", {"rules": draft.rules}))

    assert (told["runs"], told["hash"]) == (True, draft.hash)
    assert told["changed"] == ["other", "new"]
    assert good(get(world, "/versions"))["next"] is None, "nothing was published"


def test_a_text_is_tried_on_the_live_rules_and_on_a_draft(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    text = {"text": "A balloon"}

    live = good(ask(world, "/try", text))
    draft = good(ask(world, "/try", text | {"rules": ruleset(says("balloon")).rules}))

    assert (live["status"], draft["status"]) == ("approved", "held")
    assert draft["hits"][0]["why"] == "Says balloon"
    assert world.count() == 0


def test_everything_that_is_known_of_a_comment_can_be_made_up(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    given = {
        "text": CALM,
        "name": "Ann",
        "email": "ann@mail.example",
        "url": "http://a.example.com/",
        "ip": "192.0.2.1",
        "site": "news",
        "reply": True,
        "honeypot": True,
        "deliverable": False,
        "moderation": "all",
        "form_seconds": 2,
        "author": {"approved": 3, "seen": 4},
        "count": {"text.1h": 4},
        "score": {"spam": 0.5},
    }

    signals = good(ask(world, "/try", given))["signals"]

    assert signals["author.approved"] == 3
    assert signals["author.proven"] is True
    assert (signals["form_seconds"], signals["honeypot"]) == (2, True)
    assert (signals["moderation"], signals["email.deliverable"]) == ("all", False)
    assert (signals["count.text.1h"], signals["score.spam"]) == (4, 0.5)


def test_a_draft_that_cannot_run_cannot_be_tried(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    answer = ask(world, "/try", {"text": CALM, "rules": "format: 2\n"})

    assert answer.status_code == 422
    assert answer.get_json()["type"] == "/docs#ruleset-invalid"
    assert answer.get_json()["problems"]


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("/check", {"rules": "\0"}),
        ("/check", {"rules": "\ud800"}),
        ("/check", {"lists": {"../../etc/passwd": "x"}}),
        ("/check", {"base": 0}),
        ("/try", {}),
        ("/try", {"text": "a", "count": {"text.1h": -1}}),
        ("/publish", {"base": 1, "note": ""}),
        ("/publish", {"note": "no base"}),
        ("/revert", {"base": 1}),
        ("/trials", {"kind": "guess"}),
        ("/trials", {"kind": "corpus"}),
        ("/trials", {"kind": "backtest", "rows": [{"text": "a", "hold": True}]}),
        ("/trials", {"kind": "corpus", "rows": [{"text": "a"}]}),
    ],
)
def test_bad_fields_are_named(world: World, path: str, payload: Any) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    answer = send(world, path, payload)

    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_without_a_worker_the_answer_is_503_soon(build_world: Callable[..., World]) -> None:
    world = build_world({"CHECK_TIMEOUT": "1"})
    publish(world.store, ruleset(says("zeppelin")))

    answer = send(world, "/check", {})

    assert (answer.status_code, answer.get_json()["type"]) == (503, "/docs#check-unavailable")


# --- publishing ----------------------------------------------------------------


def test_a_list_entry_is_published_and_judges_at_once(world: World) -> None:
    listed = '  - {id: listed, category: spam, points: 10, why: "Says {match}",'
    listed += " when: {words: {list: bad}}}\n"
    publish(world.store, ruleset(listed, bad="zeppelin\n"))
    change = {"base": 1, "note": "People fly again", "lists": {"lists/bad.txt": "balloon\n"}}

    told = good(ask(world, "/publish", change), 201)

    assert (told["number"], told["author"], told["changed"]) == (2, "moderator:mod", ["listed"])
    assert world.status(world.judged_comment(body="A balloon")) == "held"
    assert world.status(world.judged_comment(body="A zeppelin")) == "approved"


def test_what_has_mistakes_is_not_published(world: World) -> None:
    version = publish(world.store, ruleset(says("zeppelin")))

    answer = ask(world, "/publish", {"base": 1, "note": "x", "rules": "format: 1\n"})

    assert answer.status_code == 422
    assert answer.get_json()["problems"][0]["file"] == "rules.yaml"
    assert good(get(world, ""))["version"]["hash"] == version.hash


@pytest.mark.parametrize("path", ["/publish", "/revert"])
def test_whoever_comes_second_is_told(world: World, path: str) -> None:
    publish(world.store, ruleset(says("one")))
    publish(world.store, ruleset(says("two")), author="moderator:bea")

    answer = send(world, path, {"base": 1, "note": "too late"})

    assert answer.status_code == 409
    told = answer.get_json()
    assert (told["type"], told["current_version"]) == ("/docs#ruleset-conflict", 2)
    assert told["published_by"] == "moderator:bea"


def test_one_step_leads_back_and_needs_no_worker(world: World) -> None:
    first = publish(world.store, ruleset(says("one")))
    publish(world.store, ruleset(says("two")))
    publish(world.store, ruleset(says("three")))

    back = good(send(world, "/revert", {"base": 3, "note": "too much"}), 201)
    far = good(send(world, "/revert", {"base": 4, "to": 1, "note": "all of it"}), 201)

    assert (back["number"], back["hash"]) == (4, ruleset(says("two")).hash)
    assert (far["number"], far["hash"], far["changed"]) == (5, first.hash, ["word"])
    assert send(world, "/revert", {"base": 5, "to": 9, "note": "x"}).status_code == 404


def test_there_is_nothing_before_the_first(world: World) -> None:
    publish(world.store, ruleset(says("one")))

    assert send(world, "/revert", {"base": 1, "note": "x"}).status_code == 404


def test_publishing_the_same_brings_braked_rules_back(world: World) -> None:
    version = publish(world.store, ruleset(says("zeppelin")))
    with world.store.write() as db:
        rulesets.add_state(
            db, version.number, RuleState("word", Hindrance.BRAKED, "Held much", utc_now())
        )
    assert world.status(world.judged_comment(body="A zeppelin, braked")) == "approved"

    good(ask(world, "/publish", {"base": 1, "note": "It is meant so"}), 201)

    assert good(get(world, ""))["states"] == []
    assert world.status(world.judged_comment(body="A zeppelin, again")) == "held"


def test_seniors_publish_lists_and_shadow_rules_only(world: World) -> None:
    _, token = world.second_moderator("sam", Role.SENIOR)
    named = rule("{ words: { list: bad } }", "listed")
    aside = says("balloon", "aside", mode="shadow")
    publish(world.store, ruleset(named, aside, bad="zeppelin\n"))
    more = {"lists": {"lists/bad.txt": "zeppelin\nballoon\n"}}
    other = {"rules": ruleset(named, says("airship", "aside", mode="shadow"), bad="").rules}
    live = {"rules": ruleset(named, says("airship", "aside"), bad="").rules}

    def tried(change: dict[str, Any], base: int) -> int:
        payload = {"base": base, "note": "a try"} | change
        return ask(world, "/publish", payload, token).status_code

    assert tried(more, 1) == 201
    assert tried(other, 2) == 201
    assert tried(live, 3) == 403, "it would decide"
    assert tried({}, 3) == 403, "it would bring braked rules back"
    back = send(world, "/revert", {"base": 3, "to": 1, "note": "all of it"}, token)
    assert back.status_code == 403, "a rule file and a list that a live rule reads, at once"
    assert send(world, "/revert", {"base": 3, "note": "a step"}, token).status_code == 201
    assert ask(world, "/publish", {"base": 4, "note": "x"} | live).status_code == 201


def test_a_shadow_rule_that_a_live_one_names_is_for_admins(world: World) -> None:
    _, token = world.second_moderator("sam", Role.SENIOR)
    naming = rule("{ rule: aside, pattern: 'a' }", "naming")
    publish(world.store, ruleset(says("balloon", "aside", mode="shadow"), naming))
    other = ruleset(says("airship", "aside", mode="shadow"), naming).rules

    answer = ask(world, "/publish", {"base": 1, "note": "x", "rules": other}, token)

    assert (answer.status_code, answer.get_json()["type"]) == (403, "/docs#ruleset-not-allowed")


# --- quality -------------------------------------------------------------------


def test_quality_follows_decisions_and_highlights_what_to_look_at(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin"), says("balloon", "trial", mode="shadow")))
    with world.store.write() as db:
        db.execute(sa.update(ruleset_versions).values(published_at=utc_now() - timedelta(days=61)))
    ids = [world.post_comment(body=f"A zeppelin, and a balloon {n}") for n in range(35)]
    world.runtime.moderate(ids)
    world.moderation.decide_many(ids[:30], Decision.APPROVE, moderator=world.moderator)
    world.moderation.decide_many(ids[30:], Decision.SPAM, moderator=world.moderator)

    told = good(get(world, "/quality", days=7))

    word, trial = told["rules"]
    assert told["comments"] == 35
    assert (word["hits"], word["decisive"], word["overlap"]) == (35, 35, 1.0)
    assert (word["judged"], word["rejected"], word["overturned"]) == (35, 5, 30)
    assert word["precision"]["high"] < 0.5
    assert word["highlights"] == ["look"]
    assert (trial["shadow"], trial["decisive"], trial["highlights"]) == (35, 0, [])
    assert word["changed_by"] == "moderator:mod"


@pytest.mark.parametrize(
    ("days", "rule", "highlights"),
    [(61, says("x"), ["asleep"]), (59, says("x"), []), (61, says("x", mode="off"), [])],
)
def test_a_rule_that_never_hits_is_asleep(
    world: World, days: int, rule: str, highlights: list[str]
) -> None:
    publish(world.store, ruleset(rule))
    with world.store.write() as db:
        then = utc_now() - timedelta(days=days)
        db.execute(sa.update(ruleset_versions).values(published_at=then))

    assert good(get(world, "/quality"))["rules"][0]["highlights"] == highlights


def test_run_times_come_from_the_workers(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    world.runtime.moderate([world.post_comment() for _ in range(50)])
    assert good(get(world, "/quality"))["rules"][0]["mean_ms"] is None
    world.runtime.moderate([world.post_comment() for _ in range(50)])

    assert 0 < good(get(world, "/quality"))["rules"][0]["mean_ms"] < 50


# --- trials --------------------------------------------------------------------


def tried(world: World, payload: Any) -> Any:
    """Start a trial, let the worker do it, and return it with its result."""
    started = good(ask(world, "/trials", payload), 202)
    assert started["state"] == "waiting"
    world.run_worker_once(TRIALS)
    found = good(get(world, f"/trials/{started['id']}"))
    assert found["state"] == "done", found
    return found


def test_a_backtest_compares_with_the_live_rules_and_with_people(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    zeppelin = world.judged_comment(body="A zeppelin")
    balloon = world.judged_comment(body="A balloon")
    calm = world.judged_comment(body=CALM)
    world.moderation.decide_many([balloon], Decision.SPAM, moderator=world.moderator)
    world.moderation.decide_many([zeppelin, calm], Decision.APPROVE, moderator=world.moderator)
    gone = world.judged_comment(body="A balloon whose text is deleted")
    with world.store.write() as db:
        db.execute(sa.text("UPDATE comments SET body = '' WHERE id = :id"), {"id": gone})

    draft = ruleset(says("balloon")).rules
    found = tried(world, {"kind": "backtest", "rules": draft, "days": 7})

    result = found["result"]
    assert (found["done"], found["total"], found["asked_by"]) == (4, 4, "moderator:mod")
    assert (result["comments"], result["replayed"], result["missing"]) == (4, 3, {"text": 1})
    assert (result["held_live"], result["held"]) == (1, 1)
    assert result["newly_held_examples"] == [balloon]
    assert result["newly_held_decided"] == {"approved": 0, "rejected": 1}
    assert result["newly_approved_decided"] == {"approved": 1, "rejected": 0}
    assert result["newly_approved_examples"] == [zeppelin]
    assert result["newly_held_share"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["live_agreement"]["held_approved"] == 1
    assert (result["agreement"]["held_rejected"], result["agreement"]["passed_approved"]) == (1, 2)
    assert result["rules"]["word"]["rejected"] == 1
    assert [trial["id"] for trial in good(get(world, "/trials"))["trials"]] == [found["id"]]


def test_signals_that_were_not_kept_are_counted_and_not_guessed(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    world.judged_comment(body=CALM)
    flood = '  - {id: flood, category: spam, points: 10, why: "Again",'
    flood += " when: {count: {of: ip, per: 5m, over: 3}}}\n"

    result = tried(world, {"kind": "backtest", "rules": ruleset(flood).rules})["result"]

    assert (result["replayed"], result["missing"]) == (0, {"count.ip.5m": 1})


def test_a_draft_is_tried_on_labelled_comments(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    rows = [
        {"text": "A zeppelin", "hold": True, "group": "sky"},
        {"text": "A balloon", "hold": True, "group": "sky"},
        {"text": "No zeppelin", "hold": False},
        {"text": CALM, "hold": False},
    ]

    result = tried(world, {"kind": "corpus", "rows": rows})["result"]

    assert (result["to_hold"], result["to_publish"]) == (2, 2)
    assert (result["recall"]["share"], result["false_holds"]["share"]) == (0.5, 0.5)
    assert (result["rules"]["word"]["rightly"], result["rules"]["word"]["wrongly"]) == (1, 1)
    assert result["held_wrongly"] == [{"text": "No zeppelin", "rules": ["word"]}]
    assert result["missed"] == [{"text": "A balloon"}]


def test_a_trial_of_a_draft_with_mistakes_is_refused(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))

    answer = ask(world, "/trials", {"kind": "backtest", "rules": "format: 1\n"})

    assert answer.status_code == 422
    assert good(get(world, "/trials")) == {"trials": []}


def test_a_trial_that_fails_says_so(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    started = good(ask(world, "/trials", {"kind": "backtest"}), 202)
    with world.store.write() as db:
        db.execute(sa.update(trials).values(options={}))

    world.run_worker_once(TRIALS)

    found = good(get(world, f"/trials/{started['id']}"))
    assert (found["state"], found["result"]) == ("failed", {"error": "The trial failed (KeyError)"})


def test_a_trial_that_was_lost_is_given_up_and_an_old_one_forgotten(world: World) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    lost = good(ask(world, "/trials", {"kind": "backtest"}), 202)["id"]
    with world.store.write() as db:
        db.execute(sa.update(trials).values(asked_at=utc_now() - timedelta(hours=3)))
    world.moderation.retain()

    assert good(get(world, f"/trials/{lost}"))["state"] == "failed"
    with world.store.write() as db:
        db.execute(sa.update(trials).values(asked_at=utc_now() - timedelta(days=31)))
    assert world.moderation.retain().trials == 1
    assert get(world, f"/trials/{lost}").status_code == 404


def test_real_workers_serve_every_queue(live: Installation) -> None:
    token = bearer(live.credentials["api_token"])
    tried_out = live.request("POST", "/v1/rules/try", {"text": CALM}, token)
    assert (tried_out.status, tried_out.json()["status"]) == (200, "approved")
    payload = {"kind": "corpus", "rows": [{"text": CALM, "hold": False}]}
    started = live.request("POST", "/v1/rules/trials", payload, token)
    assert started.status == 202, started.body
    path = f"/v1/rules/trials/{started.json()['id']}"

    def done() -> bool:
        state: str = live.request("GET", path, headers=token).json()["state"]
        return state == "done"

    wait_until(done, 20, "the trial is done")
