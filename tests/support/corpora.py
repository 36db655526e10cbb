"""Corpora that a test makes up, in the form in which training reads them."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

_COLUMNS = ("text", "label", "source", "lang", "split", "orig")
_AUTHOR = ("author_name", "author_email", "author_url")


def write_corpus(file: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows by the names of their columns; those not given are empty."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, (*_COLUMNS, *_AUTHOR), restval="")
        writer.writeheader()
        writer.writerows(rows)
