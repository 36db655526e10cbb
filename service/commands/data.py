"""Commands that carry the record elsewhere: export, backup, restore."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click
from tqdm import tqdm

from service.commands import migrated_store
from service.domain.clock import in_zulu
from service.domain.comment import Comment, Status
from service.local import Refused
from service.local.data_directory import private_file
from service.storage.archive import UnusableArchive, back_up
from service.storage.archive import restore as restore_archive
from service.storage.exporting import every_comment
from service.transfer.wxr import write_wxr

_COLUMNS = (
    "id", "site", "thread", "thread_url", "thread_title", "parent_id", "external_id", "status",
    "author_name", "author_email", "author_url", "author_verified_id", "body",
    "created_at", "judged_at", "decided_at",
    "author_ip", "author_user_agent", "author_email_verified", "source",
)  # fmt: skip

#: What spreadsheets take for the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}",
                   "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH HYPHEN-MINUS}",
                   "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip


@click.command()
@click.option("--format", "shape", type=click.Choice(["jsonl", "csv", "wxr"]), default="jsonl")
@click.option("--site", help="Only this site's comments.")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=False), default="-")
def export(shape: str, site: str | None, status: str | None, output: TextIO) -> None:
    """Write comments out as JSON Lines, as CSV that is safe to open in a spreadsheet, or as WXR.

    `import` reads JSON Lines and WXR again; WXR is what WordPress imports.
    """
    wanted = Status(status) if status else None
    with migrated_store() as store, _progress() as bar:
        if shape == "wxr":
            threads = every_comment(store, site=site, status=wanted, by_thread=True)
            write_wxr(_counted(threads, bar), output, title=site or "Comments")
            return
        found = every_comment(store, site=site, status=wanted)
        write = _write_csv if shape == "csv" else _write_lines
        write((_as_row(comment) for comment in _counted(found, bar)), output)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole record to FILE (gzip), from one moment, while everything runs on.

    FILE holds personal data: it is readable by its owner alone. Keep the
    SECRET_KEY with it, without which receipts and e-mail hashes are lost.
    """
    with migrated_store() as store, private_file(file) as archive:
        rows = back_up(store, archive)
    click.echo(f"{rows} rows written to {file}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill a new, migrated database from FILE, wholly or not at all.

    The backup may come from the other kind of database.
    """
    with migrated_store() as store, file.open("rb") as archive:
        try:
            rows = restore_archive(store, archive)
        except UnusableArchive as error:
            raise Refused(str(error)) from error
    click.echo(f"{rows} rows restored from {file}")


def _progress() -> "tqdm[NoReturn]":
    return tqdm(unit="", desc="written", leave=False)


def _counted(comments: Iterable[Comment], bar: "tqdm[NoReturn]") -> Iterator[Comment]:
    for comment in comments:
        yield comment
        bar.update()


def _as_row(comment: Comment) -> dict[str, Any]:
    author, thread = comment.author, comment.thread
    values = (
        comment.id, comment.site_slug, thread.key, thread.url, thread.title,
        comment.parent_id, comment.external_id, comment.status.value,
        author.name, author.email, author.url, author.verified_id, comment.body,
        *(moment and in_zulu(moment)
          for moment in (comment.created_at, comment.judged_at, comment.decided_at)),
        author.ip, author.user_agent, author.email_verified, comment.source,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _write_lines(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    for row in rows:
        output.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_csv(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    writer = csv.DictWriter(output, _COLUMNS)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})


def _inert(value: Any) -> Any:
    """Return the cell with a quote before anything that a spreadsheet would compute."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


COMMANDS: tuple[click.Command, ...] = (export, backup, restore)
