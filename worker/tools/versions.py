"""`python -m worker rules publish ...`: rulesets of the record, from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from service.domain.errors import RulesetConflict, RulesetNotFound, StoreUnavailable
from service.domain.ruleset import RulesetSource, RulesetVersion
from service.local import installed
from service.settings import SettingsError
from service.storage import Store, database_now, open_store, rulesets
from service.storage.comments import comment_by_id
from service.storage.replaying import count_judged, judged_comments
from worker.backtest import Backtest, backtest
from worker.models.shelf import shipped_models
from worker.ruleset import RulesetError, examine, load, read_directory
from worker.ruleset.outline import outline
from worker.rulesets import loaded
from worker.tools.explanation import ascii_safe

#: Who publishes from the command line.
AUTHOR = "cli"

_TEXT_SHOWN = 100
_MOST_COMMENTS = 1_000_000

_directory = click.argument(
    "directory", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
_note = click.option("-m", "--note", required=True, help="Why, in a few words.")


class Days(click.ParamType[timedelta]):
    """A number of days, such as 30d."""

    name = "days"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """Return the time that `value` says."""
        if isinstance(value, timedelta):
            return value
        if not str(value).endswith("d") or not str(value)[:-1].isdecimal():
            self.fail(f"{value!r} is no number of days such as 30d", param, ctx)
        return timedelta(days=min(int(str(value)[:-1]), 36_500))


class Share(click.ParamType[float]):
    """A share such as 2%, as a number from 0 to 1."""

    name = "share"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the share that `value` says."""
        if isinstance(value, float):
            return value
        try:
            share = float(str(value).removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        if not str(value).endswith("%") or not 0 <= share <= 1:
            self.fail(f"{value!r} is no share such as 2%", param, ctx)
        return share


@click.command()
@_directory
@_note
@click.option("--base", type=int, help="Refuse unless this version is live.")
def publish(directory: Path, note: str, base: int | None) -> None:
    """Make the rules in DIRECTORY live; workers judge the next comments by them."""
    source = _read(directory)
    ruleset, problems = examine(source)
    for problem in problems:
        click.echo(str(problem))
    if ruleset is None:
        raise click.ClickException("the rules cannot run; the running ones stay")
    rules = outline(source, ruleset)
    with _store() as store, store.write() as db:
        live = rulesets.live_version(db)
        current = live.number if live else None
        now = database_now(db)
        rulesets.keep(db, source, rules, now)
        version = rulesets.publish(
            db, source.hash, base=base or current, author=AUTHOR, note=note, now=now
        )
    click.echo(_line(version))


@click.command()
@_note
@click.option("--to", "number", type=int, help="The version to go back to; else the one before.")
def revert(note: str, number: int | None) -> None:
    """Publish the content of an earlier version anew."""
    with _store() as store, store.write() as db:
        live = rulesets.live_version(db)
        wanted = rulesets.version_by_number(db, number).hash if number else live and live.parent
        if live is None or not wanted:
            raise click.ClickException("There was no ruleset before this one.")
        version = rulesets.publish(
            db, str(wanted), base=live.number, author=AUTHOR, note=note, now=database_now(db)
        )
    click.echo(_line(version))


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
def history(limit: int) -> None:
    """List what was live, newest first, and which rules are put aside now."""
    with _store() as store, store.read() as db:
        versions = rulesets.history(db, limit)
        states = rulesets.states_of(db, versions[0].number) if versions else []
    for version in versions:
        click.echo(_line(version))
    for state in states:
        click.echo(f"in the shadow: {state.rule} ({state.state}): {state.why}")


@click.command(name="backtest")
@_directory
@click.option("--since", type=Days(), default="30d", show_default=True, help="How far back.")
@click.option("--max-new-holds", type=Share(), help="Exit 1 if more are newly held, such as 2%.")
@click.option("--show", type=click.IntRange(min=0), default=10, help="List so many of each kind.")
@click.pass_context
def backtest_command(
    context: click.Context,
    directory: Path,
    since: timedelta,
    max_new_holds: float | None,
    show: int,
) -> None:
    """Replay stored comments by the rules in DIRECTORY, against the live ones and people."""
    try:
        ruleset = load(_read(directory))
    except RulesetError as error:
        raise click.ClickException(f"the rules cannot run:\n{error}") from error
    with _store() as store:
        with store.read() as db:
            version = rulesets.live_version(db)
            live = loaded(rulesets.source_of(db, version.hash)) if version else None
            begin = database_now(db) - since
            total = count_judged(db, begin)
        found = judged_comments(store, begin, _MOST_COMMENTS)
        report = backtest(
            tqdm(found, "replayed", total, unit="", leave=False), ruleset, live, shipped_models()
        )
        _print_report(report)
        _print_examples(store, "newly held", report.newly_held[:show])
        _print_examples(store, "newly approved", report.newly_approved[:show])
    if max_new_holds is not None and report.newly_held_share > max_new_holds:
        click.echo(f"more than {max_new_holds:.1%} of the comments are newly held", err=True)
        context.exit(1)


COMMANDS: tuple[click.Command, ...] = (publish, revert, history, backtest_command)


@contextmanager
def _store() -> Iterator[Store]:
    try:
        store = open_store(installed.load().database_url)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield store
    except StoreUnavailable as error:
        raise click.ClickException("The database is away or not migrated.") from error
    except RulesetConflict as error:
        raise click.ClickException(f"Nothing published: {error}.") from error
    except RulesetNotFound as error:
        raise click.ClickException(f"There is {error}.") from error
    finally:
        store.close()


def _read(directory: Path) -> RulesetSource:
    try:
        return read_directory(directory)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{directory}: rules.yaml cannot be read: {error}") from error


def _line(version: RulesetVersion) -> str:
    when = version.published_at.strftime("%Y-%m-%d %H:%M")
    changed = f" [{', '.join(version.changed)}]" if version.changed else ""
    return f"{version.number:>4}  {version.hash}  {when}  {version.author}: {version.note}{changed}"


def _print_report(report: Backtest) -> None:
    click.echo(f"{report.replayed} of {report.comments} comments replayed")
    for name, number in report.missing.most_common():
        click.echo(f"  not replayable: {number} without {name}")
    click.echo(
        f"held {report.held}, by the live rules {report.held_live};"
        f" newly held {len(report.newly_held)} ({report.newly_held_share:.2%}),"
        f" newly approved {len(report.newly_approved)}"
    )
    for name, agreement in (("these", report.agreement), ("live", report.live_agreement)):
        click.echo(
            f"judged by people, {name:<6} right holds {agreement.precision}"
            f"   of what people rejected, held {agreement.recall}"
        )
    click.echo(f"\n{'rule':<36}{'hits':>7}{'alone':>7}{'newly':>7}  {'precision (95 %)'}")
    for rule, trial in report.rules.items():
        if trial.hits:
            click.echo(
                f"{rule:<36}{trial.hits:>7}{trial.decisive:>7}{trial.newly_held:>7}"
                f"  {trial.precision}"
            )


def _print_examples(store: Store, what: str, ids: list[Any]) -> None:
    for comment_id in ids:
        with store.read() as db:
            comment = comment_by_id(db, comment_id)
        if comment:
            text = ascii_safe(" ".join(comment.body.split())[:_TEXT_SHOWN])
            click.echo(f"{what}: {comment_id} {text}")
