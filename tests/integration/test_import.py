"""Comments from elsewhere: all states kept, each once, said what became what, and out again."""

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from service.__main__ import main
from service.domain.clock import utc_now
from service.domain.decision import EventKind
from service.storage import outbox
from service.storage.tables import comments, events, threads
from service.transfer.aside import Aside
from service.transfer.records import html_to_text
from tests.conftest import SECRET
from tests.support.akismet import FORM, form
from tests.support.exports import (
    DISQUS,
    WXR_HEAD,
    WXR_TAIL,
    large_disqus,
    large_wxr,
    write_isso,
    wxr_comment,
    wxr_head,
    wxr_post,
)
from tests.support.processes import ROOT, python
from tests.support.world import World

Run = Callable[..., Result]
SQLITE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])

BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><rss><channel>&lol2;</channel></rss>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss><channel><item><title>&x;</title></item></channel></rss>"""


@pytest.fixture
def run(world: World, database_url: str, redis_url: str) -> Run:
    """Return a function that runs a command on this test's database."""

    def command(*words: str | Path) -> Result:
        given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SECRET_KEY": SECRET}
        return CliRunner().invoke(main, [str(word) for word in words], env=given)

    return command


def bring_in(run: Run, tmp_path: Path, text: str, shape: str = "wxr", *words: str) -> str:
    """Import a file with this text and return what was said of it."""
    file = tmp_path / "export"
    file.write_text(text)
    result = run("import", file, "--site", "news", "--format", shape, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(run: Run, tmp_path: Path, text: str, shape: str = "wxr") -> str:
    """Import a file that cannot be imported and return the sentence that says so."""
    file = tmp_path / "export"
    file.write_text(text)
    result = run("import", file, "--site", "news", "--format", shape, *named(shape))
    assert result.exit_code == 1, result.output
    return result.stderr


def stored(world: World) -> list[Any]:
    """Return the comments with their threads, in the order of their ids."""
    query = (
        sa.select(comments, threads.c.key, threads.c.url, threads.c.title)
        .join(threads, threads.c.id == comments.c.thread_id)
        .order_by(comments.c.id)
    )
    with world.store.read() as db:
        return list(db.execute(query))


def wxr(*parts: str) -> str:
    return WXR_HEAD + "".join(parts) + WXR_TAIL


EVERY_STATE = wxr(
    wxr_post(7, wxr_comment(1) + wxr_comment(2, parent=1) + wxr_comment(3, "0")),
    wxr_post(8, wxr_comment(4, "spam") + wxr_comment(5, "trash") + wxr_comment(6, "post-trashed")),
    wxr_post(9, wxr_comment(7, "1", kind="pingback") + wxr_comment(8, "mystery")),
)


def test_wordpress_comments_keep_state_time_place_and_conversation(
    world: World, run: Run, tmp_path: Path
) -> None:
    said = bring_in(run, tmp_path, EVERY_STATE)

    rows = stored(world)
    assert Counter(row.status for row in rows) == {
        "approved": 3, "held": 2, "spam": 1, "rejected": 2
    }  # fmt: skip
    first, reply = rows[0], rows[1]
    assert (first.author_name, first.author_email) == ("Ines 1", "ines1@mail.example")
    assert (first.author_ip, first.body) == ("192.0.2.1", "A remark.")
    assert (first.key, first.title) == ("https://news.example/?p=7", "The report & its file")
    assert first.created_at.isoformat() == "2024-03-01T10:00:01+00:00"
    assert (reply.parent_id, reply.root_id, reply.depth) == (first.id, first.id, 2)
    assert first.external_id == "wxr:1"
    assert "8 comments imported" in said
    for line in ("0 -> held", "trash -> rejected", "1 (pingback) -> approved", "mystery -> held"):
        assert line in said


def test_nothing_is_imported_twice(world: World, run: Run, tmp_path: Path) -> None:
    bring_in(run, tmp_path, EVERY_STATE)
    said = bring_in(run, tmp_path, EVERY_STATE)
    assert "0 comments imported" in said
    assert "8  were imported before" in said
    assert world.count() == 8


@pytest.mark.parametrize("shape", ["wxr", "disqus", "isso", "jsonl"])
def test_what_was_erased_here_does_not_come_back(
    world: World, run: Run, tmp_path: Path, shape: str
) -> None:
    if shape == "jsonl":
        for name in ("Ida", "Paul"):
            world.approved_comment(author={"name": name, "email": f"{name.lower()}@mail.example"})
    file = export_of(run, tmp_path, shape)
    words = ("import", file, "--site", "news", "--format", shape, *named(shape))
    assert run(*words).exit_code == 0
    victim = next(row for row in stored(world) if row.status == "approved")
    count = world.count()
    world.moderation.erase(victim.id, actor="site:news")

    said = run(*words).stdout

    assert "0 comments imported" in said
    assert "1  were erased here and are left out" in said
    assert world.count() == count
    row = next(row for row in stored(world) if row.id == victim.id)
    assert (row.status, row.body, row.author_name) == ("erased", "", "")


def named(shape: str) -> tuple[str, ...]:
    """Return what tells whose file it is, where the file does not."""
    return ("--source", "blog") if shape == "isso" else ()


def export_of(run: Run, tmp_path: Path, shape: str) -> Path:
    """Return a file as another system, or this one, writes it."""
    file = tmp_path / f"export.{shape}"
    if shape == "isso":
        write_isso(file)
    elif shape == "jsonl":
        assert run("export", "--format", "jsonl", "--output", file).exit_code == 0
    else:
        file.write_text({"wxr": EVERY_STATE, "disqus": DISQUS}[shape])
    return file


@SQLITE_IS_ENOUGH
def test_an_answer_to_what_was_erased_here_stands_under_it(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, wxr(wxr_post(7, wxr_comment(1))))
    [first] = stored(world)
    world.moderation.erase(first.id, actor="site:news")

    bring_in(run, tmp_path, wxr(wxr_post(7, wxr_comment(1) + wxr_comment(2, parent=1))))

    reply = stored(world)[-1]
    assert (reply.parent_id, reply.depth) == (first.id, 2)


@SQLITE_IS_ENOUGH
def test_nothing_is_judged_and_no_website_is_told(world: World, run: Run, tmp_path: Path) -> None:
    with world.store.write() as db:
        outbox.add_endpoint(db, world.site.id, "https://news.example/", seed="s", now=utc_now())
    bring_in(run, tmp_path, EVERY_STATE)
    assert world.jobs.backlog() == 0
    with world.store.read() as db:
        assert outbox.list_messages(db) == []
        assert set(db.scalars(sa.select(events.c.kind))) == {EventKind.IMPORTED}


@SQLITE_IS_ENOUGH
def test_imported_comments_are_read_reviewed_and_found_like_others(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, EVERY_STATE, "wxr", "--thread-key", "id")
    page = world.client.get("/v1/sites/news/threads/7/comments").get_json()
    assert page["count"] == 2
    [top] = page["comments"]
    assert len(top["replies"]) == 1
    assert world.moderation.erase_email("ines3@mail.example") == 1


@SQLITE_IS_ENOUGH
def test_a_reply_may_stand_before_what_it_answers(world: World, run: Run, tmp_path: Path) -> None:
    conversation = wxr_comment(3, parent=2) + wxr_comment(2, parent=1) + wxr_comment(1)
    said = bring_in(run, tmp_path, wxr(wxr_post(7, conversation + wxr_comment(4, parent=99))))
    one, two, three, lost = stored(world)
    assert (two.parent_id, three.parent_id) == (one.id, two.id)
    assert [row.depth for row in (one, two, three, lost)] == [1, 2, 3, 1]
    assert {one.root_id, two.root_id, three.root_id} == {one.id}
    assert "answer a comment that is not in the file" in said


@SQLITE_IS_ENOUGH
def test_comments_that_answer_each_other_hang_nothing(
    world: World, run: Run, tmp_path: Path
) -> None:
    circle = wxr_comment(1, parent=2) + wxr_comment(2, parent=1)
    bring_in(run, tmp_path, wxr(wxr_post(7, circle)))
    assert world.count() == 2
    assert world.client.get("/v1/sites/news/threads/7/comments").status_code == 200


@SQLITE_IS_ENOUGH
def test_whatever_stands_in_a_file_fits(world: World, run: Run, tmp_path: Path) -> None:
    text = "<p>A <b>bold</b> word &amp; more<br/>next</p>\n<p>" + "x" * 70_000 + "</p>"
    said = bring_in(run, tmp_path, wxr(wxr_post(7, wxr_comment(1, text=text))))
    [row] = stored(world)
    assert row.body.startswith("A bold word & more\nnext\n\nxxx")
    assert len(row.body.encode()) == 65_525
    assert "too long and was cut" in said


def test_disqus_comments_keep_their_states(world: World, run: Run, tmp_path: Path) -> None:
    said = bring_in(run, tmp_path, DISQUS, "disqus")
    first, reply, spam, deleted, waiting = stored(world)
    assert first.body == "First line\nsecond & more\n\nSee\nthis (https://a.example/x)"
    assert (first.author_name, first.author_ip) == ("Ana", "192.0.2.9")
    assert (first.key, first.title) == ("https://news.example/7", "The report")
    assert reply.parent_id == first.id
    assert [row.status for row in (spam, deleted, waiting)] == ["spam", "rejected", "held"]
    assert "deleted -> rejected" in said


def test_isso_comments_keep_their_states(world: World, run: Run, tmp_path: Path) -> None:
    write_isso(tmp_path / "isso.db")
    before = (tmp_path / "isso.db").read_bytes()
    result = run("import", tmp_path / "isso.db", "--site", "news", "--format", "isso",
                 "--origin", "https://news.example")  # fmt: skip
    assert result.exit_code == 0, result.output
    shell, reply, waiting = stored(world)
    assert [row.status for row in (shell, reply, waiting)] == ["erased", "approved", "held"]
    assert (reply.parent_id, reply.body) == (shell.id, "A *reply*")
    assert reply.key == "https://news.example/article/7/"
    assert (tmp_path / "isso.db").read_bytes() == before


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("text", [BOMB, OUTSIDE])
def test_documents_that_would_expand_or_fetch_are_refused(
    world: World, run: Run, tmp_path: Path, text: str
) -> None:
    assert "document type or entities" in refused(run, tmp_path, text)
    assert world.count() == 0


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    ("shape", "text"),
    [("wxr", "no xml"), ("disqus", "{}"), ("isso", "no database"), ("jsonl", '{"id": 1}\n'),
     ("jsonl", "[]\n"), ("jsonl", "nonsense")],
)  # fmt: skip
def test_what_is_no_such_file_is_said_plainly(
    run: Run, tmp_path: Path, shape: str, text: str
) -> None:
    assert "could not be read" in refused(run, tmp_path, text, shape)


@SQLITE_IS_ENOUGH
def test_a_file_that_breaks_off_leaves_what_came_before_and_can_go_on(
    world: World, run: Run, tmp_path: Path
) -> None:
    many = "".join(wxr_comment(number) for number in range(1, 1_101))
    whole = wxr(wxr_post(7, many))
    assert "nothing is imported twice" in refused(run, tmp_path, whole[: len(whole) - 60_000])
    assert world.count() == 1_000
    assert "100 comments imported" in bring_in(run, tmp_path, whole)
    assert world.count() == 1_100


def test_a_reply_finds_what_it_answers_when_a_file_is_read_to_its_end_at_last(
    world: World, run: Run, tmp_path: Path
) -> None:
    one, two, three, four = (
        wxr_comment(number, parent=number - 1, gmt=in_turn(number)) for number in (1, 2, 3, 4)
    )
    bring_in(run, tmp_path, wxr(wxr_post(7, four + three)))
    whole = wxr(wxr_post(7, four + three + two + one))

    said = bring_in(run, tmp_path, whole)

    assert "2  were imported before" in said
    assert [row.depth for row in stored(world)] == [1, 2, 3, 4]
    assert "came before" not in bring_in(run, tmp_path, whole)


@SQLITE_IS_ENOUGH
def test_an_unknown_site_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    result = run("import", tmp_path / "x", "--site", "nosuch", "--format", "wxr")
    assert "no site 'nosuch'" in result.stderr


# --- times that nobody can have written at ----------------------------------------


def line(number: int, **changes: Any) -> str:
    """Return one line of our own export, changed as told."""
    return json.dumps(LINE | {"id": f"old-{number}"} | changes) + "\n"


LINE = {
    "id": "old-1", "site": "news", "thread": "t", "thread_url": "", "thread_title": "",
    "parent_id": None, "external_id": None, "status": "approved", "author_name": "Ana",
    "author_email": "", "author_url": "", "author_verified_id": None, "body": "A remark.",
    "created_at": "2024-03-01T10:00:00Z",
}  # fmt: skip
OUT_OF_TIME = ("0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00",
               "9999-12-31T00:00:00Z", "1969-12-31T23:59:59Z", "never")  # fmt: skip


def everything_is_read(world: World, run: Run, tmp_path: Path, thread: str) -> None:
    """Assert that pages, feeds, export and backup work."""
    assert world.client.get(f"/v1/sites/news/threads/{thread}/comments").status_code == 200
    assert world.client.get("/v1/sites/news/feed").status_code == 200
    assert run("export").exit_code == 0
    assert run("backup", tmp_path / "backup.gz").exit_code == 0


def test_a_time_that_cannot_be_becomes_that_of_the_import(
    world: World, run: Run, tmp_path: Path
) -> None:
    lines = [line(number, created_at=time) for number, time in enumerate(OUT_OF_TIME)]
    before = utc_now()
    said = bring_in(run, tmp_path, "".join(lines) + line(99), "jsonl")

    assert f"{len(OUT_OF_TIME)}  told no time that can be" in said
    first, *others = stored(world)
    assert first.created_at.isoformat() == "2024-03-01T10:00:00+00:00"
    assert len(others) == len(OUT_OF_TIME)
    assert all(before <= row.created_at <= utc_now() for row in others)
    everything_is_read(world, run, tmp_path, "t")


def test_a_time_out_of_every_calendar_in_the_record_breaks_nothing(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, line(1) + line(2), "jsonl")
    for row, kept in zip(stored(world), (-62_135_640_000_000, 253_402_343_999_000), strict=True):
        with world.store.write() as db:
            db.exec_driver_sql(f"UPDATE comments SET created_at = {kept} WHERE id = '{row.id}'")
    everything_is_read(world, run, tmp_path, "t")


@SQLITE_IS_ENOUGH
def test_wordpress_tells_the_local_time_where_it_has_no_other(
    world: World, run: Run, tmp_path: Path
) -> None:
    none = "0000-00-00 00:00:00"
    said = bring_in(
        run,
        tmp_path,
        wxr(wxr_post(7, "".join([
            wxr_comment(1, gmt=none, local="2024-03-02 09:00:00"),
            wxr_comment(2, gmt="0001-01-01 00:00:00", local="2024-03-02 09:00:01"),
            wxr_comment(3, gmt="9999-12-31 23:59:59", local=none),
        ]))),
    )  # fmt: skip
    assert "1  told no time that can be" in said
    days = [row.created_at.date().isoformat() for row in stored(world)]
    assert days == ["2024-03-02", "2024-03-02", utc_now().date().isoformat()]


# --- what is not for everybody -----------------------------------------------------


def test_what_a_shop_keeps_as_comments_is_left_out(world: World, run: Run, tmp_path: Path) -> None:
    kinds = ("", "comment", "pingback", "trackback", "order_note", "order_note", "review")
    said = bring_in(
        run,
        tmp_path,
        wxr(wxr_post(7, "".join(wxr_comment(n, kind=kind) for n, kind in enumerate(kinds, 1)))),
    )
    assert world.count() == 4
    assert "2  are of type order_note and are left out" in said
    assert "1  are of type review and are left out" in said


def test_comments_of_posts_that_not_everybody_reads_are_held(
    world: World, run: Run, tmp_path: Path
) -> None:
    said = bring_in(
        run,
        tmp_path,
        wxr(
            wxr_post(1, wxr_comment(1) + wxr_comment(2, "spam"), "private"),
            wxr_post(2, wxr_comment(3), "draft"),
            wxr_post(3, wxr_comment(4), password="open sesame"),
            wxr_post(4, wxr_comment(5)),
        ),
    )
    assert [row.status for row in stored(world)] == ["held", "spam", "held", "held", "approved"]
    for line in ("1 (private post) -> held", "1 (draft post) -> held",
                 "1 (post with password) -> held"):  # fmt: skip
        assert line in said


# --- files that are not as they should be -------------------------------------------


BROKEN_MEMBERS: list[dict[str, Any]] = [
    {"author_name": None}, {"author_name": 5}, {"body": None}, {"body": 7}, {"author_ip": 9},
    {"external_id": 3}, {"status": "bogus"}, {"id": None}, {"created_at": 0},
]  # fmt: skip


def test_lines_that_are_no_comments_are_counted_and_named(
    world: World, run: Run, tmp_path: Path
) -> None:
    broken = [line(10 + n, **changes) for n, changes in enumerate(BROKEN_MEMBERS)]
    deep = "[" * 100_000 + "\n"
    nul = line(30, external_id="\0", author_verified_id="a\0b", body="\0", thread="\0t")
    said = bring_in(run, tmp_path, line(1) + "".join(broken) + deep + "\n" + nul, "jsonl")
    assert world.count() == 2
    assert f"{len(broken) + 1}  are no proper comments and are left out" in said
    assert "line 2: author_name: Input should be a valid string" in said
    for again in range(2):
        assert "2  were imported before" in bring_in(run, tmp_path, line(1) + nul, "jsonl"), again


def test_two_comments_cannot_have_the_same_external_id(
    world: World, run: Run, tmp_path: Path
) -> None:
    said = bring_in(run, tmp_path, line(1, external_id="a") + line(2, external_id="a"), "jsonl")
    assert sorted(row.external_id or "" for row in stored(world)) == ["", "a"]
    assert "1  have no external id here" in said


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a <![foo[ b", "a <![foo[ b"),
        ("a <![if IE]> b<![endif]> c", "a  b c"),
        ("<![ x [ b", "<![ x [ b"),
        ("a <![lt[ y ]]> b", "a  b"),
        ("a <!DOCTYPE [ <!x", "a <!DOCTYPE [ <!x"),
    ],
)
def test_odd_html_is_read_as_far_as_it_is_any(html: str, text: str) -> None:
    assert html_to_text(html) == text


@SQLITE_IS_ENOUGH
def test_a_state_of_ours_that_is_none_is_held(world: World, run: Run, tmp_path: Path) -> None:
    meta = "<wp:commentmeta><wp:meta_key>_anteroom_status</wp:meta_key>"
    bogus = f"{meta}<wp:meta_value>bogus</wp:meta_value></wp:commentmeta></wp:comment>"
    said = bring_in(run, tmp_path, wxr(wxr_post(7, wxr_comment(1).replace("</wp:comment>", bogus))))
    assert "bogus -> held" in said
    assert stored(world)[0].status == "held"


ODD_ISSO = """
    INSERT INTO comments (tid, id, created, mode, text, author, remote_addr, voters) VALUES
      (1, 10, 1e18, 1, 'far away', 'Ana', 7, ''),
      (1, 11, 'soon', 1, 'no time', 5, '192.0.2.1', ''),
      (1, 12, 1400000000, 1, 'blob', x'00ff', '192.0.2.1', ''),
      (1, 13, 1400000000, 1, 'blob', 'Ana', x'00ff', ''),
      (1, 14, 1400000000, 1, CAST(x'61ff62' AS TEXT), 'Ana', '192.0.2.1', ''),
      (1, 16, -5, 1, 'before all', 'Ana', '192.0.2.1', ''),
      (9, 15, 1400000000, 1, 'nowhere', 'Ana', '192.0.2.1', '');
"""


@SQLITE_IS_ENOUGH
def test_an_isso_file_comes_in_under_a_name_only(world: World, run: Run, tmp_path: Path) -> None:
    write_isso(tmp_path / "isso.db")
    result = run("import", tmp_path / "isso.db", "--site", "news", "--format", "isso")
    assert result.exit_code != 0
    assert "give --origin or --source" in result.output
    assert world.count() == 0


def test_whatever_isso_keeps_is_read_or_counted(world: World, run: Run, tmp_path: Path) -> None:
    write_isso(tmp_path / "isso.db")
    with closing(sqlite3.connect(tmp_path / "isso.db")) as db:
        db.executescript(ODD_ISSO)
    words = ("import", tmp_path / "isso.db", "--site", "news", "--format", "isso", *named("isso"))
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "7 comments imported" in result.stdout
    assert "7  were imported before" in run(*words).stdout
    for said in (
        "3  told no time that can be",
        "2  are no proper comments",
        "comment 12: its author is no text",
        "1  belong to a thread that is not in the file",
    ):
        assert said in result.stdout
    assert "a\ufffdb" in {row.body for row in stored(world)}


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    ("shape", "text", "said"),
    [
        ("disqus", EVERY_STATE, "begins with <rss> where <disqus> is expected"),
        ("wxr", DISQUS, "begins with <disqus> where <rss> is expected"),
        ("wxr", "<html><body></body></html>", "begins with <html> where <rss> is expected"),
        ("wxr", "<!DOCTYPE html><html></html>", "<rss> is expected"),
        ("wxr", "<rss><channel><item/></channel></rss>", "<wp:wxr_version> is expected"),
        ("jsonl", EVERY_STATE, "nothing in it is a comment (line 1: "),
    ],
)
def test_a_file_of_another_format_is_refused(
    run: Run, tmp_path: Path, shape: str, text: str, said: str
) -> None:
    assert said in refused(run, tmp_path, text, shape)


# --- conversations ----------------------------------------------------------------


CHAIN = range(1, 301)


@pytest.mark.parametrize("order", ["oldest first", "newest first", "mixed"])
def test_conversations_become_as_deep_as_the_site_has_them(
    world: World, run: Run, tmp_path: Path, order: str
) -> None:
    chain = [wxr_comment(number, parent=number - 1, gmt=in_turn(number)) for number in CHAIN]
    if order == "newest first":
        chain.reverse()
    elif order == "mixed":
        chain = chain[1::2] + chain[0::2]

    said = bring_in(run, tmp_path, wxr(wxr_post(7, "".join(chain))), "wxr", "--thread-key", "id")

    assert f"{len(CHAIN) - 5}  stood deeper than conversations of the site" in said
    rows = stored(world)
    places = {row.id: row for row in rows}
    assert [row.depth for row in rows] == [1, 2, 3, 4] + [5] * (len(CHAIN) - 4)
    assert {row.root_id for row in rows} == {rows[0].id}
    assert [places[row.parent_id].depth for row in rows[1:]] == [row.depth - 1 for row in rows[1:]]
    page = world.client.get("/v1/sites/news/threads/7/comments").get_json()
    assert nested(page["comments"]) == len(CHAIN)


def in_turn(number: int) -> str:
    """Return a time that is later the higher the number is."""
    return f"2024-03-01 10:{number // 60:02}:{number % 60:02}"


def nested(listed: list[dict[str, Any]]) -> int:
    """Return how many comments a tree has, all levels together."""
    return sum(1 + nested(comment["replies"]) for comment in listed)


def test_a_conversation_that_is_too_deep_in_the_record_is_shown_whole(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, "".join(line(number) for number in CHAIN), "jsonl")
    rows = stored(world)
    with world.store.write() as db:
        for depth, (above, row) in enumerate(pairwise(rows), 2):
            place = {"parent_id": above.id, "root_id": rows[0].id, "depth": depth}
            db.execute(sa.update(comments).where(comments.c.id == row.id).values(place))
    page = world.client.get("/v1/sites/news/threads/t/comments").get_json()
    assert page["count"] == nested(page["comments"]) == len(CHAIN)


# --- several sources ---------------------------------------------------------------


def blog(name: str, *comments: str) -> str:
    """Return the export of one of several blogs, each of which has a post 1."""
    return wxr_head(f"https://www.{name}.example/") + wxr_post(1, "".join(comments)) + WXR_TAIL


def test_two_sources_may_number_their_comments_alike(
    world: World, run: Run, tmp_path: Path
) -> None:
    one = blog("one", wxr_comment(1), wxr_comment(2, parent=1))
    two = blog("two", wxr_comment(1, text="Other."), wxr_comment(2, parent=1))
    for text in (one, two):
        assert "2 comments imported" in bring_in(run, tmp_path, text)
    for text in (one, two):
        assert "2  were imported before" in bring_in(run, tmp_path, text)
    ids = {row.external_id for row in stored(world)}
    assert ids == {f"wxr:{name}.example:{number}" for name in ("one", "two") for number in (1, 2)}


def test_what_was_imported_before_sources_had_names_is_known(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, wxr(wxr_post(1, wxr_comment(1) + wxr_comment(2))))

    same = blog("one", wxr_comment(1), wxr_comment(2), wxr_comment(3, parent=1))
    said = bring_in(run, tmp_path, same)
    other = blog("two", wxr_comment(1, gmt="2020-01-01 00:00:00"))
    assert "1 comments imported" in bring_in(run, tmp_path, other)

    assert "1 comments imported" in said
    assert "2  were imported before" in said
    oldest, first, _, reply = stored(world)
    assert oldest.external_id == "wxr:two.example:1"
    assert reply.parent_id == first.id


@SQLITE_IS_ENOUGH
def test_what_was_erased_before_sources_had_names_does_not_come_back(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, wxr(wxr_post(1, wxr_comment(1))))
    world.moderation.erase(stored(world)[0].id, actor="site:news")
    for _ in range(2):
        said = bring_in(run, tmp_path, blog("one", wxr_comment(1)))
        assert "1  were erased here and are left out" in said
    assert world.count() == 1


@SQLITE_IS_ENOUGH
def test_a_number_taken_by_a_source_without_name_is_said(
    world: World, run: Run, tmp_path: Path
) -> None:
    bring_in(run, tmp_path, wxr(wxr_post(1, wxr_comment(1))))
    other = wxr(wxr_post(1, wxr_comment(1, gmt="2020-01-01 00:00:00")))
    said = bring_in(run, tmp_path, other)
    assert "1  were left out: another comment has their number" in said
    assert "1 comments imported" in bring_in(run, tmp_path, other, "wxr", "--source", "old blog")
    assert stored(world)[0].external_id == "wxr:old-blog:1"


@SQLITE_IS_ENOUGH
def test_posts_without_a_number_are_told_apart(world: World, run: Run, tmp_path: Path) -> None:
    nameless = DISQUS.replace('<post dsq:id="103">', "<post>")
    nameless = nameless.replace('<post dsq:id="104">', "<post>")
    assert "5 comments imported" in bring_in(run, tmp_path, nameless, "disqus")
    assert "5  were imported before" in bring_in(run, tmp_path, nameless, "disqus")
    assert [row.external_id for row in stored(world)][-3:] == ["disqus:news:102", None, None]


def test_an_answer_to_another_thread_is_counted(world: World, run: Run, tmp_path: Path) -> None:
    said = bring_in(
        run,
        tmp_path,
        wxr(
            wxr_post(1, wxr_comment(1) + wxr_comment(2, parent=4)),
            wxr_post(2, wxr_comment(3, parent=1) + wxr_comment(4)),
        ),
    )
    assert "2  answer a comment of another thread" in said
    assert {row.depth for row in stored(world)} == {1}


# --- out, and in again ---------------------------------------------------------

KEPT = ("status", "body", "author_name", "author_email", "author_url", "author_verified_id",
        "author_ip", "author_user_agent", "author_email_verified",
        "external_id", "depth", "created_at", "key", "url", "title")  # fmt: skip


@pytest.mark.parametrize("shape", ["jsonl", "wxr"])
def test_what_is_written_out_is_read_again_the_same(
    world: World, run: Run, tmp_path: Path, shape: str
) -> None:
    odd = 'caf\u00e9 \u2603 <b>&amp;</b> ]]> "quoted"\n\n  line two \U0001f600'
    top = world.approved_comment(body=odd, external_id="a-1", author={
        "verified_id": "u-1", "email_verified": True, "user_agent": "Mozilla/5.0 (odd; <b>)",
    })  # fmt: skip
    world.approved_comment(parent_id=top)
    world.held_comment(thread={"id": "another", "url": "https://news.example/b", "title": "B & C"})
    world.moderation.erase(world.approved_comment(), actor="site:news")
    world.post_comment()
    world.client.post("/1.1/submit-ham", data=form(world.akismet_key), content_type=FORM)
    before = [row for row in stored(world) if not row.key.startswith("akismet:")]
    file = tmp_path / "written"
    assert run("export", "--format", shape, "--output", file).exit_code == 0
    world.second_site()

    again = run("import", file, "--site", "news", "--format", shape)
    assert "5  were imported before" in again.stdout, again.output
    elsewhere = run("import", file, "--site", "other", "--format", shape)

    assert elsewhere.exit_code == 0, elsewhere.output
    after = [row for row in stored(world) if row.site_id != world.site.id]
    by_text = [sorted(map(_told, rows), key=str) for rows in (before, after)]
    assert by_text[0] == by_text[1]
    parents = {row.id: row.body for row in after}
    assert [parents[row.parent_id] for row in after if row.parent_id] == [odd]


@pytest.mark.parametrize("shape", ["jsonl", "wxr"])
def test_a_reply_that_sorts_before_what_it_answers_is_written_out_under_it(
    world: World, run: Run, tmp_path: Path, shape: str
) -> None:
    late = [
        wxr_comment(1, gmt=in_turn(30)),
        wxr_comment(2, parent=1, gmt=in_turn(20)),
        wxr_comment(3, parent=2, gmt=in_turn(10)),
        wxr_comment(4, gmt=in_turn(5)),
    ]
    bring_in(run, tmp_path, wxr(wxr_post(7, "".join(late))))
    file = tmp_path / "written"
    assert run("export", "--format", shape, "--output", file).exit_code == 0
    world.second_site()

    assert run("import", file, "--site", "other", "--format", shape).exit_code == 0

    before, after = (
        [row for row in stored(world) if (row.site_id == world.site.id) is here]
        for here in (True, False)
    )
    assert [_told(row) for row in before] == [_told(row) for row in after]
    names = {row.id: row.author_name for row in after}
    answered = {row.author_name: names.get(row.parent_id) for row in after}
    assert answered == {"Ines 1": None, "Ines 2": "Ines 1", "Ines 3": "Ines 2", "Ines 4": None}


def _told(row: Any) -> list[Any]:
    """Return what an export keeps of a comment; WXR knows whole seconds only."""
    told = [getattr(row, name) for name in KEPT]
    told[KEPT.index("created_at")] = row.created_at.replace(microsecond=0)
    # What nobody judged when it was written out waits for a person where it is read.
    told[0] = "held" if told[0] == "pending" else told[0]
    return told


@SQLITE_IS_ENOUGH
def test_lines_of_json_tell_what_was_only_checked(world: World, run: Run) -> None:
    world.client.post("/1.1/submit-ham", data=form(world.akismet_key), content_type=FORM)
    [line] = run("export").stdout.splitlines()
    assert json.loads(line)["source"] == "akismet"


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    ("shape", "parts", "most_kilobytes"),
    [("wxr", large_wxr(48), 8_000), ("disqus", large_disqus(30_000), 8_000)],
    ids=["wxr", "disqus"],
)
def test_a_large_file_takes_little_memory(
    world: World, tmp_path: Path, shape: str, parts: Iterator[bytes], most_kilobytes: int
) -> None:
    file = tmp_path / "large.xml"
    with file.open("wb") as large:
        large.writelines(parts)
    code = (
        "import resource, sys\n"
        f"from service.transfer.{shape} import read_{shape} as read\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "print(sum(1 for _ in read(open(sys.argv[1], 'rb'))), peak() - before)\n"
    )
    read = subprocess.run(
        python("-c", code, str(file)), capture_output=True, text=True, check=True, cwd=ROOT
    )
    count, more_kilobytes = map(int, read.stdout.split())
    assert count > 20_000
    assert more_kilobytes < most_kilobytes


@SQLITE_IS_ENOUGH
def test_many_replies_may_stand_before_what_they_answer(
    world: World, run: Run, tmp_path: Path
) -> None:
    first = wxr_comment(1)
    many = "".join(wxr_comment(number, parent=1) for number in range(2, 1_502))
    said = bring_in(run, tmp_path, wxr(wxr_post(7, many + first)))
    assert "1500  came before the comment that they answer" in said
    *_, top = sorted(stored(world), key=lambda row: -row.depth)
    assert {row.root_id for row in stored(world)} == {top.id}


def test_what_is_put_aside_is_found_again_however_much_it_is() -> None:
    with closing(Aside()) as aside:
        for number in range(150_000):
            aside.put(f"name {number}", f"told {number}", "caf\u00e9")
        aside.put("name 7", "told anew")
        assert aside.get("name 149999") == ["told 149999", "caf\u00e9"]
        assert aside.get("name 7") == ["told anew"]
        aside.drop("name 7")
        assert "name 7" not in aside
        assert len(aside) == 149_999
