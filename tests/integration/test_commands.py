"""`python -m service`: what operators do from the command line."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.__main__ import main
from service.domain.clock import utc_now
from service.domain.site import KeyKind
from service.keyring import Keyring, digest
from service.storage import Store
from service.storage.people import Account, accounts, moderator_by_token
from service.storage.sites import caller_by_key, list_sites, site_by_slug
from tests.conftest import SECRET
from tests.support.databases import DIALECTS
from tests.support.world import World

Run = Callable[..., Result]
KEYRING = Keyring(SECRET)


@pytest.fixture
def run(database_url: str, redis_url: str) -> Run:
    """Return a function that runs a command on this test's database."""

    def command(*words: str, stdin: str | None = None, **environ: str) -> Result:
        given = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET,
            "BASE_URL": "https://comments.example",
        }
        return CliRunner().invoke(main, words, input=stdin, env=given | environ)

    return command


def values(result: Result) -> dict[str, str]:
    """Return the name=value lines that a command printed."""
    assert result.exit_code == 0, result.output
    return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)


def refusal(result: Result) -> str:
    """Return the sentence with which a command refused."""
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    return result.stderr


@pytest.mark.parametrize("dialect", ["sqlite"])
class TestSites:
    """setup, create-site, rotate-key."""

    def test_setup_prints_credentials_that_work(self, run: Run, store: Store) -> None:
        printed = json.loads(run("setup", "--origin", "https://news.example").stdout)
        with store.read() as db:
            caller = caller_by_key(db, printed["server_key"], keyring=KEYRING, now=utc_now())
            moderator = moderator_by_token(db, digest(printed["api_token"]), utc_now())
        assert caller is not None
        assert caller.site.slug == printed["site"]
        assert caller.site.origins == ("https://news.example",)
        assert moderator is not None
        assert moderator.login == printed["moderator"]
        assert printed["base_url"] == "https://comments.example"

    def test_setup_works_once(self, run: Run) -> None:
        run("setup")
        assert "already" in refusal(run("setup"))

    def test_create_site_prints_three_keys_that_work(self, run: Run, store: Store) -> None:
        made = run("create-site", "news", "--name", "The News", "--origin", "https://news.example",
                   "--moderation", "all")  # fmt: skip
        for kind in KeyKind:
            with store.read() as db:
                caller = caller_by_key(
                    db, values(made)[f"{kind.value}_key"], keyring=KEYRING, now=utc_now()
                )
            assert caller is not None
            assert caller.kind is kind
            assert (caller.site.name, caller.site.moderation) == ("The News", "all")

    def test_a_taken_slug_is_refused(self, run: Run, store: Store) -> None:
        run("create-site", "news")
        assert "'news' already" in refusal(run("create-site", "news"))
        with store.read() as db:
            assert len(list_sites(db)) == 1

    def test_old_keys_go_on_for_the_overlap(self, run: Run, store: Store) -> None:
        old = values(run("create-site", "news"))["server_key"]
        new = values(run("rotate-key", "news", "--kind", "server", "--overlap-hours", "2"))
        with store.read() as db:
            now = utc_now()
            assert caller_by_key(db, old, keyring=KEYRING, now=now + timedelta(hours=1))
            assert caller_by_key(db, old, keyring=KEYRING, now=now + timedelta(hours=3)) is None
            assert caller_by_key(
                db, new["server_key"], keyring=KEYRING, now=now + timedelta(hours=3)
            )

    def test_keys_of_an_unknown_site_cannot_be_rotated(self, run: Run) -> None:
        assert "no site 'news'" in refusal(run("rotate-key", "news", "--kind", "public"))


@pytest.mark.parametrize("dialect", ["sqlite"])
class TestPeople:
    """create-moderator."""

    def test_a_made_up_password_and_a_token_are_printed(self, run: Run, store: Store) -> None:
        printed = values(run("create-moderator", "ada", "--role", "senior"))
        with store.read() as db:
            moderator = moderator_by_token(db, digest(printed["api_token"]), utc_now())
        assert moderator is not None
        assert (moderator.login, moderator.role) == ("ada", "senior")
        assert len(printed["password"]) >= 12

    def test_a_password_that_was_asked_for_is_not_printed(self, run: Run) -> None:
        made = run("create-moderator", "ada", "--ask-password", stdin="correct horse\n" * 2)
        assert set(values(made)) == {"api_token"}
        assert "correct horse" not in made.output

    def test_a_taken_login_is_refused(self, run: Run) -> None:
        run("create-moderator", "ada")
        assert "'ada' already" in refusal(run("create-moderator", "ada"))


class TestExport:
    """export, over both databases."""

    def test_every_comment_is_a_line_of_json(self, run: Run, world: World) -> None:
        first = world.approved_comment(body="caf\u00e9 \u2603")
        second = world.post_comment()
        lines = [json.loads(line) for line in run("export").stdout.splitlines()]
        assert [line["id"] for line in lines] == [first, second]
        assert lines[0]["body"] == "caf\u00e9 \u2603"
        assert lines[0]["status"] == "approved"
        assert lines[0]["created_at"].endswith("Z")
        assert lines[1]["judged_at"] is None

    def test_site_and_status_choose(self, run: Run, world: World) -> None:
        approved = world.approved_comment()
        world.post_comment()
        world.second_site("other")
        (line,) = run("export", "--site", "news", "--status", "approved").stdout.splitlines()
        assert json.loads(line)["id"] == approved
        assert run("export", "--site", "other").stdout == ""

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\uff1d"])
    def test_no_cell_of_csv_is_a_formula(self, run: Run, world: World, start: str) -> None:
        world.post_comment(body=f"{start}1+1", author={"name": "Ada"})
        (row,) = csv.DictReader(io.StringIO(run("export", "--format", "csv").stdout))
        assert row["body"] == f"'{start}1+1"
        assert row["author_name"] == "Ada"


class TestUpkeep:
    """sweep, stats, erase, over both databases."""

    def test_stats_count_by_status_and_queue(self, run: Run, world: World) -> None:
        world.approved_comment()
        world.held_comment()
        world.post_comment()
        lines = [line.split()[:2] for line in run("stats").stdout.splitlines()]
        assert lines.count(["approved", "1"]) == 2  # all sites, and the one
        assert ["moderation", "1"] in lines

    def test_stats_say_that_redis_is_away(self, run: Run, world: World) -> None:
        told = run("stats", REDIS_URL="unix:///nowhere/redis.sock")
        assert "Redis is away" in told.stdout

    def test_a_sweep_gives_a_lost_comment_a_new_job(self, run: Run, world: World) -> None:
        world.post_comment()
        world.jobs.connection.flushall()
        told = run("sweep", OVERDUE_SECONDS="0.001")
        assert "1 comments put into new jobs" in told.stdout
        assert world.jobs.backlog() == 1

    def test_erase_asks_first(self, run: Run, world: World) -> None:
        comment_id = world.approved_comment(author={"email": "ada@mail.example"})
        assert run("erase", "--email", "ada@mail.example", stdin="n\n").exit_code == 1
        assert world.status(comment_id) == "approved"
        told = run("erase", "--email", "ada@mail.example", stdin="y\n")
        assert "1 comments erased" in told.stdout
        assert world.status(comment_id) == "erased"

    def test_erase_takes_yes_for_an_answer(self, run: Run, world: World) -> None:
        world.approved_comment(author={"email": "ada@mail.example"})
        assert "1 comments erased" in run("erase", "--email", "ada@mail.example", "--yes").stdout


@pytest.mark.parametrize("dialect", DIALECTS)
def test_migrate_makes_a_database_usable_and_may_run_again(run: Run, store: Store) -> None:
    for _ in range(2):
        assert run("migrate").exit_code == 0
    assert store.is_current()
    with store.read() as db:
        assert site_by_slug(db, "demo") is None


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_was_not_migrated_is_said_plainly(run: Run, tmp_path: Path) -> None:
    told = run("stats", DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    assert "python -m service migrate" in refusal(told)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_away_is_said_plainly(run: Run) -> None:
    told = run("stats", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert "database is away" in refusal(told)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_unusable_settings_are_named(run: Run) -> None:
    told = run("stats", PORT="many", SECRET_KEY="short")
    assert "PORT" in refusal(told)
    assert "SECRET_KEY" in refusal(told)


def test_every_command_explains_itself() -> None:
    listed = CliRunner().invoke(main, ["--help"]).stdout
    for name, command in main.commands.items():
        assert name in listed
        assert command.help, name
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
class TestModerators:
    """create-moderator and update-moderator."""

    def test_a_moderator_is_made_for_some_sites_and_given_more(
        self, run: Run, store: Store
    ) -> None:
        run("create-site", "news")
        values(run("create-moderator", "bert", "--site", "news"))
        (before,) = everybody(store)
        run("update-moderator", "bert", "--role", "senior", "--every-site")
        (after,) = everybody(store)

        assert before.moderator.sites is not None
        assert len(before.moderator.sites) == 1
        assert (after.moderator.role, after.moderator.sites) == ("senior", None)

    def test_shut_out_and_let_in_again(self, run: Run, store: Store) -> None:
        run("create-moderator", "bert")
        run("update-moderator", "bert", "--disable")
        (out,) = everybody(store)
        printed = values(run("update-moderator", "bert", "--enable", "--new-password"))
        (back,) = everybody(store)

        assert out.disabled_at
        assert back.disabled_at is None
        assert len(printed["password"]) >= 12

    def test_the_last_admin_stays(self, run: Run) -> None:
        run("create-moderator", "anna", "--role", "admin")

        assert "last admin" in refusal(run("update-moderator", "anna", "--disable"))
        assert "last admin" in refusal(run("update-moderator", "anna", "--role", "senior"))

    @pytest.mark.parametrize(
        "words", [("update-moderator", "nobody"), ("create-moderator", "x", "--site", "nowhere")]
    )
    def test_what_does_not_exist_is_said(self, run: Run, words: tuple[str, ...]) -> None:
        assert "There is no" in refusal(run(*words))


def everybody(store: Store) -> list[Account]:
    with store.read() as db:
        return accounts(db)
