"""Atom feeds: what was approved, well-formed whatever was written, and cheap to ask for again."""

from xml.etree import ElementTree as ET

import pytest
from werkzeug.test import TestResponse

from service.domain.decision import Decision
from tests.support.akismet import FORM, form
from tests.support.world import ORIGIN, World

ATOM = "{http://www.w3.org/2005/Atom}"
THREAD = "/v1/sites/news/threads/an-article/feed"
SITE = "/v1/sites/news/feed"
HOSTILE = "<script>alert(1)</script> & \"'\u202e \ufffe]]>\U0001f600 http://a.example.com/?b&c"


def entries(answer: TestResponse) -> list[ET.Element]:
    """Return the entries of a feed."""
    assert answer.status_code == 200
    assert answer.mimetype == "application/atom+xml"
    return ET.fromstring(answer.data).findall(f"{ATOM}entry")


def text(element: ET.Element, path: str) -> str:
    """Return the text of what stands at a path below the element."""
    found = element.findtext("/".join(ATOM + part for part in path.split("/")))
    assert found is not None, ET.tostring(element)
    return found


def test_a_feed_has_the_newest_approved_comments_first(world: World) -> None:
    first, second = world.approved_comment(), world.approved_comment()
    world.held_comment()
    for path in (THREAD, SITE):
        ids = [text(entry, "id") for entry in entries(world.client.get(path))]
        assert ids == [f"urn:uuid:{second}", f"urn:uuid:{first}"]


def test_an_entry_says_who_wrote_what_where(world: World) -> None:
    comment_id = world.approved_comment(author={"name": "Ines"}, body="Every <b>name</b>.")
    [entry] = entries(world.client.get(THREAD))
    assert text(entry, "title") == "Ines on An article"
    assert text(entry, "author/name") == "Ines"
    assert text(entry, "content") == "<p>Every &lt;b&gt;name&lt;/b&gt;.</p>"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"{ORIGIN}/an-article#comment-{comment_id}"
    assert "mail.example" not in world.client.get(THREAD).get_data(as_text=True)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_whatever_was_written_the_feed_is_well_formed(world: World) -> None:
    comment_id = world.post_comment(body=HOSTILE, author={"name": f"N {HOSTILE[:60]}"})
    world.run_worker_once()
    if world.status(comment_id) != "approved":
        world.moderation.decide(comment_id, Decision.APPROVE, moderator=world.moderator, version=2)
    [entry] = entries(world.client.get(SITE))
    assert "\ufffe" not in text(entry, "content")
    assert "<script>" not in text(entry, "content")
    assert "\U0001f600" in text(entry, "content")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_feed_that_did_not_change_is_not_sent_again(world: World) -> None:
    world.approved_comment()
    for path in (THREAD, SITE):
        etag = world.client.get(path).headers["ETag"]
        assert world.client.get(path, headers={"If-None-Match": etag}).status_code == 304
    world.approved_comment()
    assert world.client.get(SITE, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_feed_ends_at_fifty(world: World) -> None:
    for _ in range(51):
        world.post_comment()
    world.run_worker_once()
    assert len(entries(world.client.get(SITE))) == 50


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_empty_thread_has_an_empty_feed_and_an_unknown_site_none(world: World) -> None:
    assert entries(world.client.get("/v1/sites/news/threads/nobody/wrote/feed")) == []
    assert world.client.get("/v1/sites/nosuch/feed").status_code == 404


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_was_only_checked_is_in_no_feed(world: World) -> None:
    fields = form(world.akismet_key)
    world.client.post("/1.1/submit-ham", data=fields, content_type=FORM)
    assert entries(world.client.get(SITE)) == []
