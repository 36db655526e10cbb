"""backup and restore: the whole record, within and across both databases."""

import gzip
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from service.__main__ import main
from service.app import create_app
from service.domain.clock import utc_now
from service.domain.decision import Decision, Reason
from service.domain.ruleset import Hindrance, RuleState
from service.storage import Store, open_store, outbox, rulesets, trials
from service.storage.archive import back_up
from service.storage.tables import leases, metadata
from service.storage.trials import TrialKind
from service.webhooks.postman import Postman
from tests.support.akismet import FORM, form
from tests.support.databases import DIALECTS, Databases, as_setting
from tests.support.world import World


@pytest.fixture
def other_url(target: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a second, migrated, empty database."""
    name = f"{'sqlite' if target == 'sqlite' else 'postgres'}_databases"
    databases: Databases = request.getfixturevalue(name)
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture
def other(other_url: str) -> Iterator[Store]:
    """The store at that address."""
    store = open_store(as_setting(other_url))
    yield store
    store.close()


def run(url: str, *words: str) -> Result:
    """Run a command on the database at `url`."""
    environ = {"DATABASE_URL": url, "SECRET_KEY": "k" * 32}
    return CliRunner().invoke(main, words, env=environ)


def refusal(result: Result) -> str:
    """Return the sentence with which a command refused."""
    assert result.exit_code == 1, result.output
    return result.stderr


def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables that are backed up."""
    with store.read() as db:
        return {
            table.name: [
                dict(row)
                for row in db.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in metadata.sorted_tables
            if table is not leases
        }


def fill(world: World) -> None:
    """Leave something in every table, replies and odd characters among it."""
    with world.store.write() as db:
        endpoint = outbox.add_endpoint(
            db, world.site.id, "https://127.0.0.1:9/hook", seed="seed", now=utc_now()
        )
    approved = world.approved_comment(body="caf\u00e9 \u2603 \U0001f600\n\u0085", external_id="a-1")
    reply = world.approved_comment(parent_id=approved)
    held = world.held_comment(author={"verified_id": "u-1", "email_verified": True})
    world.moderation.decide_many(
        [held], Decision.REJECT, moderator=world.moderator, reason=Reason.ADVERTISING, note="\u2713"
    )
    world.moderation.report(reply, site_id=world.site.id, reporter="f" * 64, reason="abuse")
    world.approved_comment(body="Long enough to be known again by its fingerprint, whoever it is.")
    world.moderation.sample()
    leave_trial(world)
    world.post_comment()
    world.second_site()
    world.client.post("/1.1/submit-spam", data=form(world.akismet_key), content_type=FORM)
    Postman(world.store, world.services.keyring, world.settings).deliver(endpoint.id)
    with world.store.write() as db:
        for table in metadata.sorted_tables:
            if db.execute(sa.select(table).limit(1)).first() is None:
                db.execute(sa.insert(table).values(made_up(table, reply)))


def made_up(table: sa.Table, comment_id: str) -> dict[str, Any]:
    """Return a row of a table that nothing above writes to."""
    values: dict[str, Any] = {"comment_id": comment_id, "moderator_id": 1, "site_id": 1}
    kinds = {"JSON": [1], "Instant": utc_now(), "Integer": 7, "BigInteger": 7, "Boolean": True}
    for column in table.columns:
        if column.name not in values and column.autoincrement is not True and column.name != "id":
            values[column.name] = kinds.get(type(column.type).__name__, "\u2713")
    return {name: value for name, value in values.items() if name in table.columns}


def leave_trial(world: World) -> None:
    """Leave a rule in the shadow, and a ruleset that is tried."""
    now = utc_now()
    with world.store.write() as db:
        live = rulesets.live_version(db)
        assert live is not None
        state = RuleState("gtube", Hindrance.BRAKED, "Held \u00bd", now)
        rulesets.add_state(db, live.number, state)
        trials.add_trial(
            db, TrialKind.BACKTEST, live.hash, {"days": 7}, asked_by="moderator:mod", now=now
        )


@pytest.mark.parametrize("target", DIALECTS)
def test_what_was_backed_up_is_restored_whole(
    world: World, database_url: str, other_url: str, other: Store, tmp_path: Path
) -> None:
    fill(world)
    before = everything(world.store)
    assert all(before.values()), "every table holds something"
    archive = tmp_path / "backup.gz"
    rows = sum(map(len, before.values()))
    assert f"{rows} rows written" in run(database_url, "backup", str(archive)).stdout
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert f"{rows} rows restored" in run(other_url, "restore", str(archive)).stdout
    assert everything(other) == before


@pytest.mark.parametrize("target", DIALECTS)
def test_a_restored_service_goes_on(
    world: World,
    other_url: str,
    other: Store,
    make_settings: Callable[..., Any],
    tmp_path: Path,
) -> None:
    fill(world)
    with (tmp_path / "a").open("wb") as file:
        back_up(world.store, file)
    assert run(other_url, "restore", str(tmp_path / "a")).exit_code == 0
    settings = make_settings(DATABASE_URL=other_url)
    restored = replace(world, settings=settings, store=other, app=create_app(settings))
    try:
        restored.approved_comment()  # the old key works, and every kind of id goes on
        restored.held_comment(thread={"id": "another-article"})
        restored.second_site("third")
        restored.second_moderator("third")
    finally:
        restored.close()


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """The lines of a good archive, unpacked."""
    fill(world)
    packed, plain = tmp_path / "good.gz", tmp_path / "good.jsonl"
    with packed.open("wb") as file:
        back_up(world.store, file)
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    return plain


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("target", ["sqlite"])
class TestRefusals:
    """What is not restored, and leaves the database as empty as before."""

    def attempt(self, lines: list[str], url: str, store: Store, folder: Path) -> str:
        """Restore these lines and return why they were refused."""
        packed = folder / "bad.gz"
        packed.write_bytes(gzip.compress("".join(lines).encode()))
        told = refusal(run(url, "restore", str(packed)))
        assert not any(everything(store).values())
        return told

    def test_another_revision(
        self, archive: Path, other_url: str, other: Store, tmp_path: Path
    ) -> None:
        _, *rest = archive.read_text().splitlines(keepends=True)
        header = json.dumps({"format": "anteroom-backup", "revision": "older"}) + "\n"
        assert "revision older" in self.attempt([header, *rest], other_url, other, tmp_path)

    @pytest.mark.parametrize(
        "cut", [lambda lines: lines[:-1], lambda lines: lines[:-2] + lines[-1:]]
    )
    def test_a_missing_line(
        self,
        archive: Path,
        other_url: str,
        other: Store,
        tmp_path: Path,
        cut: Callable[[list[str]], list[str]],
    ) -> None:
        lines = cut(archive.read_text().splitlines(keepends=True))
        assert "damaged" in self.attempt(lines, other_url, other, tmp_path)

    def test_a_line_that_is_no_row(
        self, archive: Path, other_url: str, other: Store, tmp_path: Path
    ) -> None:
        lines = archive.read_text().splitlines(keepends=True)
        for bad in (
            "{",
            "[]\n",
            '["comments"]\n',
            '["secrets",{}]\n',
            '["sites",{"x":1}]\n',
            '["sites",7]\n',
            "7\n",
        ):
            broken = [*lines[:3], bad, *lines[3:]]
            assert "damaged" in self.attempt(broken, other_url, other, tmp_path), bad

    def test_a_file_cut_short(
        self, archive: Path, other_url: str, other: Store, tmp_path: Path
    ) -> None:
        good = (tmp_path / "good.gz").read_bytes()
        for size in (0, 5, len(good) // 2, len(good) - 4):
            short = tmp_path / "short.gz"
            short.write_bytes(good[:size])
            assert run(other_url, "restore", str(short)).exit_code == 1
            assert not any(everything(other).values())

    def test_some_other_file(
        self, archive: Path, other_url: str, other: Store, tmp_path: Path
    ) -> None:
        (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
        assert "damaged" in refusal(run(other_url, "restore", str(tmp_path / "picture.png")))
        assert "not a backup" in self.attempt(['{"a": 1}\n'], other_url, other, tmp_path)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_not_empty(
    world: World, database_url: str, archive: Path, tmp_path: Path
) -> None:
    before = everything(world.store)
    assert "not empty" in refusal(run(database_url, "restore", str(tmp_path / "good.gz")))
    assert everything(world.store) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_backup_that_fails_keeps_the_former_one(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "backup.gz"
    archive.write_text("the former one")

    def fail(*_: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr("service.commands.data.back_up", fail)
    assert run(database_url, "backup", str(archive)).exit_code == 1
    assert archive.read_text() == "the former one"
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.gz"]


def test_a_backup_shows_one_moment_while_comments_come_in(
    world: World, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment accepted after the backup began is not in it, nor is any part of it."""
    from service.storage import archive as module

    fill(world)
    write = module._write
    arrived: list[str] = []

    def write_and_accept(file: Any, line: Any) -> None:
        write(file, line)
        if isinstance(line, list) and line[0] == "sites" and not arrived:
            arrived.append(world.approved_comment(thread={"id": "a-new-thread"}))

    monkeypatch.setattr(module, "_write", write_and_accept)
    path = tmp_path / "backup.gz"
    assert run(database_url, "backup", str(path)).exit_code == 0
    (late,) = arrived
    text = gzip.decompress(path.read_bytes()).decode()
    assert late not in text
    assert "a-new-thread" not in text
