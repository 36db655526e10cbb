"""`python -m worker rules ...`: what people who write rules do with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from worker.engine import judge
from worker.models.shelf import shipped_models
from worker.ruleset import Problem, Ruleset, RulesetError, examine, load, read_directory
from worker.ruleset.cases import Case
from worker.ruleset.shipped import DIRECTORY
from worker.tools.corpus import Report, Tally, UnreadableCorpus, measure, read_samples
from worker.tools.explanation import ascii_safe, explain
from worker.tools.versions import COMMANDS

_TEXT_SHOWN = 160
_JUDGES = ("rules", "models", "both")

_directory = click.option(
    "--rules",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=DIRECTORY,
    help="Directory with rules.yaml; the shipped rules if not given.",
)


@click.group()
def rules() -> None:
    """Check, try and measure rules."""


@rules.command()
@click.argument(
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=DIRECTORY,
)
@click.pass_context
def check(context: click.Context, directory: Path) -> None:
    """Tell everything that is wrong with the rules in DIRECTORY; exit 1 if they cannot run."""
    problems = _examined(directory)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        click.echo(f"{errors} to mend; the running rules are unchanged", err=True)
        context.exit(1)
    ruleset = load(read_directory(directory), tested=True)
    click.echo(f"{len(ruleset.rules)} rules are fine, their tests pass: ruleset {ruleset.hash}")


@rules.command(name="try")
@click.argument("text")
@_directory
@click.option("--author", "name", default="", help="Name of the author.")
@click.option("--email", default="", help="E-mail address of the author.")
@click.option("--url", default="", help="Address of the author's own page.")
@click.option("--ip", help="Address of the visitor.")
@click.option("--site", default="", help="Slug of the site.")
@click.option("--reply", is_flag=True, help="It answers another comment.")
@click.option("--approved", type=click.IntRange(min=0), default=0, help="Approved before, proven.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def try_(text: str, directory: Path, *, approved: int, as_json: bool, **fields: Any) -> None:
    """Judge TEXT, kept nowhere, and explain the verdict."""
    case = Case(text, history={"approved": approved, "seen": approved}, proven=approved > 0)
    for name, value in fields.items():
        setattr(case, name, value)
    comment = case.comment()
    verdict = judge(comment, _loaded(directory), case.context(shipped_models()))
    click.echo(
        json.dumps(verdict.as_dict(), ensure_ascii=False, indent=2)
        if as_json
        else explain(comment, verdict)
    )


@rules.command(name="test-corpus")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_directory
@click.option("--split", help="Only rows whose column `split` says this.")
@click.option("--source", "sources", multiple=True, help="Only rows of this source; repeatable.")
@click.option(
    "--show",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="List so many comments that were held wrongly.",
)
@click.option("--misses", is_flag=True, help="List comments that were missed as well.")
@click.option(
    "--by",
    type=click.Choice(_JUDGES),
    default="both",
    show_default=True,
    help="What judges: the rules that read no score, those that read one, or all.",
)
def test_corpus(
    file: Path, directory: Path, split: str | None, sources: tuple[str, ...], show: int,
    misses: bool, by: str,
) -> None:  # fmt: skip
    """Judge the labelled comments of FILE (csv or csv.gz) and compare with the labels."""
    ruleset = _judging(_loaded(directory), by)
    samples = read_samples(file, split=split, sources=sources)
    try:
        report = measure(
            tqdm(samples, desc="judged", unit="", leave=False), ruleset, shipped_models()
        )
    except UnreadableCorpus as error:
        raise click.ClickException(f"{file}: {error}") from error
    _print_report(report, show=show, misses=misses)


for _command in COMMANDS:
    rules.add_command(_command)


def _examined(directory: Path) -> list[Problem]:
    try:
        return examine(read_directory(directory))[1]
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{directory}: rules.yaml cannot be read: {error}") from error


def _loaded(directory: Path) -> Ruleset:
    try:
        return load(read_directory(directory), tested=True)
    except RulesetError as error:
        raise click.ClickException(f"the rules cannot run:\n{error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{directory}: rules.yaml cannot be read: {error}") from error


def _judging(ruleset: Ruleset, by: str) -> Ruleset:
    """Return the ruleset without the rules that are not to be measured."""
    if by == "both":
        return ruleset
    chosen = (rule for rule in ruleset.rules if bool(rule.scores) is (by == "models"))
    return replace(ruleset, rules=tuple(chosen))


def _print_report(report: Report, *, show: int, misses: bool) -> None:
    click.echo(f"held of {report.to_hold} to hold:       {report.recall}")
    click.echo(f"held of {report.to_publish} to publish: {report.false_hold_rate}")
    click.echo()
    if len(report.groups) > 1:
        click.echo(f"{'family or source':<44} {'wanted':<8} {'held':>6} {'of':>6}  macro-F1")
        for (group, hold), counts in sorted(report.groups.items()):
            wanted = "hold" if hold else "publish"
            both = report.macro_f1(group) if hold else None
            shown = "" if both is None else f"{both:9.3f}"
            click.echo(f"{group:<44} {wanted:<8} {counts['held']:>6} {counts['all']:>6} {shown}")
        click.echo()
    _print_tallies("category", report.categories, report.to_hold)
    _print_tallies("rule", report.rules, report.to_hold)
    for comment, verdict in report.false_holds[:show]:
        reasons = ", ".join(hit.rule for hit in verdict.hits if hit.mode == "live")
        click.echo(f"held wrongly [{reasons}]: {ascii_safe(comment.body[:_TEXT_SHOWN])}")
    if misses:
        for comment, _ in report.misses[:show]:
            click.echo(f"missed: {ascii_safe(comment.body[:_TEXT_SHOWN])}")


def _print_tallies(what: str, tallies: dict[str, Tally], to_hold: int) -> None:
    click.echo(f"{what:<36} {'right':>6} {'wrong':>6}  {'precision (95 %)':<22} recall")
    for name, tally in sorted(tallies.items(), key=lambda item: -item[1].rightly):
        recall = f"{tally.rightly / to_hold:.1%}" if to_hold else "-"
        click.echo(
            f"{name:<36} {tally.rightly:>6} {tally.wrongly:>6}  {tally.precision!s:<22} {recall}"
        )
    click.echo()
