"""`python -m worker rules`: publishing, going back and backtesting from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.domain.decision import Decision
from service.domain.ruleset import Hindrance, RulesetSource, RuleState
from service.moderation import Moderation
from service.storage import Store, database_now, rulesets
from tests.support.versions import publish, ruleset, says
from tests.support.world import World
from worker.__main__ import main


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


def run(world: World, *words: str | Path) -> Result:
    """Run a command on the world's database."""
    environ = {"DATABASE_URL": world.settings.database_url, "SECRET_KEY": "k" * 32}
    return CliRunner().invoke(main, ("rules", *map(str, words)), env=environ)


def directory(folder: Path, source: RulesetSource) -> Path:
    """Write a ruleset as people keep it."""
    for name, text in source.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def live_hash(store: Store) -> str:
    """Return the hash of what is live."""
    with store.read() as db:
        live = rulesets.live_version(db)
    assert live is not None
    return live.hash


def test_a_directory_is_published_and_taken_back(world: World, tmp_path: Path) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    new = ruleset(says("balloon"), bad="x\n")

    published = run(world, "publish", directory(tmp_path, new), "-m", "Balloons now")

    assert published.exit_code == 0, published.output
    assert f"2  {new.hash}" in published.output
    assert "cli: Balloons now [word]" in published.output
    assert live_hash(world.store) == new.hash
    assert world.status(world.judged_comment(body="A balloon")) == "held"

    assert run(world, "revert", "-m", "No").exit_code == 0
    assert live_hash(world.store) == ruleset(says("zeppelin")).hash
    listed = run(world, "history").output.splitlines()
    assert [line.split()[0] for line in listed] == ["3", "2", "1"]


def test_rules_with_mistakes_are_refused_with_all_of_them(world: World, tmp_path: Path) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    bad = ruleset(says("one", points=11), says("two", "other", mode="shy"))

    result = run(world, "publish", directory(tmp_path, bad), "-m", "Oops")

    assert result.exit_code == 1
    assert "rules.yaml:8:" in result.output
    assert "rules.yaml:17:" in result.output
    assert live_hash(world.store) == ruleset(says("zeppelin")).hash


def test_a_version_that_is_no_longer_live_is_no_base(world: World, tmp_path: Path) -> None:
    for word in ("one", "two"):
        publish(world.store, ruleset(says(word)))
    folder = directory(tmp_path, ruleset(says("three")))

    result = run(world, "publish", folder, "-m", "Late", "--base", "1")

    assert result.exit_code == 1
    assert "version 2 is live, by moderator:mod" in result.output
    assert live_hash(world.store) == ruleset(says("two")).hash


def test_there_is_nothing_to_go_back_to_before_the_first(world: World) -> None:
    assert run(world, "revert", "-m", "x").exit_code == 1
    publish(world.store, ruleset(says("one")))
    assert run(world, "revert", "-m", "x").exit_code == 1
    assert "no version 9" in run(world, "revert", "-m", "x", "--to", "9").output


def test_the_history_tells_which_rules_are_put_aside(world: World) -> None:
    version = publish(world.store, ruleset(says("one")))
    with world.store.write() as db:
        state = RuleState("word", Hindrance.BRAKED, "Held 9 of 100", database_now(db))
        rulesets.add_state(db, version.number, state)

    assert "in the shadow: word (braked): Held 9 of 100" in run(world, "history").output


def test_a_backtest_tells_what_would_change_and_may_fail(world: World, tmp_path: Path) -> None:
    publish(world.store, ruleset(says("zeppelin")))
    for body in ("A zeppelin", "A balloon", "A calm remark", "Another calm remark"):
        world.judged_comment(body=body)
    balloon = world.judged_comment(body="A red balloon")
    moderation: Moderation = world.moderation
    moderation.decide(balloon, Decision.SPAM, moderator=world.moderator, version=2)
    folder = directory(tmp_path, ruleset(says("balloon")))

    told = run(world, "backtest", folder, "--since", "7d", "--max-new-holds", "50%")
    strict = run(world, "backtest", folder, "--max-new-holds", "2%")

    assert told.exit_code == 0, told.output
    assert "5 of 5 comments replayed" in told.output
    assert "newly held 2 (40.00%), newly approved 1" in told.output
    assert f"newly held: {balloon} A red balloon" in told.output
    assert strict.exit_code == 1
    assert "more than 2.0% of the comments are newly held" in strict.output


@pytest.mark.parametrize("words", [("--since", "a week"), ("--max-new-holds", "2")])
def test_odd_options_are_refused(world: World, tmp_path: Path, words: tuple[str, str]) -> None:
    folder = directory(tmp_path, ruleset(says("balloon")))

    assert run(world, "backtest", folder, *words).exit_code == 2


def test_without_a_database_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path}/none.db", "SECRET_KEY": "k" * 32}

    result = CliRunner().invoke(main, ("rules", "history"), env=environ)

    assert result.exit_code == 1
    assert result.output == "Error: The database is away or not migrated.\n"
