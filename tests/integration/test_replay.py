"""`make replay`: labelled comments against a running service."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.__main__ import main
from tests.support.installation import Installation
from tests.support.processes import free_port

LINKS = "See http://example.com/a and http://example.org/b and http://example.net/c."


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """A service to post to."""
    installation = Installation().start()
    yield installation
    installation.discard()


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write labelled comments as CSV, packed if the name says so, and return the path."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    packed = path.suffix == ".gz"
    with gzip.open(path, "wt") if packed else path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def replay(*words: str, installation: Installation) -> Result:
    """Run the command beside the service."""
    environ = {"DATA_DIR": str(installation.folder / "data")}
    return CliRunner().invoke(main, ["replay", *words], env=environ)


def lines(result: Result) -> list[list[str]]:
    """Return the table's lines as words."""
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_the_table_tells_what_came_of_the_comments(running: Installation, tmp_path: Path) -> None:
    rows = [{"text": f"A calm remark, number {n}.", "label": "ham"} for n in range(40)]
    rows += [{"text": f"{LINKS} {n}", "label": "spam"} for n in range(10)]
    rows += [{"text": "\x07", "label": "spam"}, {"text": "", "label": "ham"}]
    table = lines(replay(str(write(tmp_path / "a.csv.gz", rows)), installation=running))
    assert ["posted", "52"] in table
    assert ["accepted", "50"] in table
    assert ["refused", "2"] in table
    assert ["label", "approved", "held"] in table
    assert ["ham", "40", "0"] in table
    assert ["spam", "0", "10"] in table
    assert [line for line in table if line[:1] == ["202"] and {"p50", "p99"} <= set(line)]


def test_refusals_are_counted_by_reason(running: Installation, tmp_path: Path) -> None:
    rows = [{"text": "Fine.", "label": "ham", "author_email": "no address"}] * 3
    table = lines(replay(str(write(tmp_path / "a.csv", rows)), installation=running))
    assert any(line[:2] == ["3", "/author/email:"] for line in table)


def test_source_and_limit_choose_rows(running: Installation, tmp_path: Path) -> None:
    rows = [
        {"text": f"Number {n} of {source}.", "label": "ham", "source": source}
        for n in range(5)
        for source in ("a", "b")
    ]
    path = str(write(tmp_path / "a.csv", rows))
    assert ["posted", "5"] in lines(replay(path, "--source", "a", installation=running))
    assert ["posted", "3"] in lines(replay(path, "--limit", "3", installation=running))


def test_the_same_file_may_be_replayed_again(running: Installation, tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.csv", [{"text": "Again.", "label": "ham"}]))
    for _ in range(2):
        assert ["accepted", "1"] in lines(replay(path, installation=running))


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"body,label\na,b\n", "no column 'text'"), (b"\xff\xfe", "decode"), (b"text\n\x00", "")],
)
def test_a_file_without_labelled_comments_is_refused(
    running: Installation, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    result = replay(str(path), installation=running)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert told in result.stderr


def test_a_wrong_key_is_said_plainly(running: Installation, tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.csv", [{"text": "x", "label": "ham"}]))
    result = replay(path, "--key", "sk_wrong", installation=running)
    assert result.exit_code == 1
    assert "does not accept the key" in result.stderr


def test_missing_credentials_are_said_plainly(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.csv", [{"text": "x", "label": "ham"}]))
    result = CliRunner().invoke(main, ["replay", path], env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert "--url and --key" in result.stderr


def test_a_service_that_is_away_is_given_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.replay._POST_SECONDS", 0.2)
    path = str(write(tmp_path / "a.csv", [{"text": "x", "label": "ham"}]))
    away = ["replay", path, "--url", f"http://127.0.0.1:{free_port()}", "--key", "sk_x"]
    result = CliRunner().invoke(main, away)
    assert result.exit_code == 1
    assert "took no comment" in result.stderr
