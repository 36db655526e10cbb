"""Corpora: labelled comments from a data folder, and what may be done with each source.

A file is a gzip CSV with the columns text, label, source, lang, split and orig, and
perhaps author_name, author_email, author_url. Rows of any split other than train
and dev are never read.
"""

import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Split = Literal["train", "dev"]

_POSITIVE = frozenset({"spam", "abusive"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where comments come from and under which licence.

    `trains` tells whether a model that ships may learn from it: not where the
    licence is missing or forbids commercial use, and not from whole programs'
    licences that were put on data. Those are for measuring only.
    """

    name: str
    origin: str
    licence: str
    trains: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled comment; `weight` is how much it counts when a model learns."""

    text: str
    positive: bool
    source: str
    language: str
    orig: str = ""
    name: str = ""
    email: str = ""
    url: str = ""
    weight: float = 1.0
    kinds: frozenset[str] = field(default_factory=frozenset)


_CC_BY = "CC BY 4.0"

SOURCES = {
    source.name: source
    for source in (
        Source("sms-spam-collection", "UCI SMS Spam Collection", _CC_BY),
        Source("youtube-01-Psy", "UCI YouTube Spam Collection", _CC_BY),
        Source("youtube-03-LMFAO", "UCI YouTube Spam Collection", _CC_BY),
        Source("youtube-04-Eminem", "UCI YouTube Spam Collection", _CC_BY),
        Source("wordpress-spam-queue", "sidtuli/spam-analysis", "WTFPL 2"),
        Source("blog-tutorial-comments", "comments on tutorials", "none stated", trains=False),
        Source("hatemoji-build", "HatemojiBuild, Kirk et al.", _CC_BY),
        Source("paradetox", "s-nlp/paradetox", "CC0 1.0"),
        Source("civil-comments-toxic", "Civil Comments toxic spans", "CC0 1.0"),
        Source("measuring-hate-speech", "Measuring Hate Speech, UC Berkeley D-Lab", _CC_BY),
        Source("edos", "Explainable Detection of Online Sexism", "CC0 1.0"),
        Source("davidson", "Davidson et al. 2017", "MIT"),
        Source("toxigen-annotated", "microsoft/TOXIGEN", "MIT and CDLA-Permissive style"),
        Source("hatexplain", "HateXplain", "MIT"),
        Source("fox-news-comments", "sjtuprog/fox-news-comments", "MIT"),
        Source("implicit-hate-sample", "SALT-NLP/implicit-hate", "MIT"),
        Source("surge-toxicity", "surge-ai/toxicity", "MIT"),
        Source("wikipedia-talk-context", "Wikipedia talk pages, CAT_LARGE", "CC BY-SA 3.0"),
        Source("wikipedia-talk-toxicity", "Wikipedia talk pages, Conversation AI", "CC BY-SA 3.0"),
        Source("white-supremacy-forum", "Vicomtech/hate-speech-dataset", "CC BY-SA 3.0"),
        Source("germeval2018", "GermEval 2018, uds-lsv", _CC_BY),
        Source("mlma-fr", "MLMA hate speech, French", "MIT"),
        Source("mlma-ar", "MLMA hate speech, Arabic", "MIT"),
        Source("kmhas-korean-news", "K-MHaS", "CC BY-SA 4.0"),
        Source("kold-sample", "KOLD", "CC BY-SA 4.0"),
        Source("koco-korean-news", "kocohub/korean-hate-speech", "CC BY-SA 4.0"),
        Source("ethos", "Ethos", "GPL 3.0", trains=False),
        Source("dghs", "Dynamically Generated Hate Speech", "none stated", trains=False),
        Source("hateval-en", "HatEval", "CC BY-NC 4.0", trains=False),
        Source("unhealthy-comments", "Unhealthy Comments", "CC BY-NC-SA 4.0", trains=False),
        Source("olid", "OLID", "none, research use", trains=False),
    )
}

#: Positives that other sources would call harmless: profanity at nobody.
_PROFANITY = {("davidson", "offensive"), ("paradetox", "toxic_rewritable")}


def read(folders: Iterable[Path], split: Split, prefixes: Iterable[str]) -> Iterator[Row]:
    """Give the rows of one split in the files that begin so; profanity at nobody is left out."""
    wanted = tuple(prefixes)
    files = sorted(file for folder in folders for file in folder.glob("*.csv.gz"))
    for file in files:
        if file.name.startswith(wanted):
            yield from _rows(file, split)


def may_train(row: Row) -> bool:
    """Whether a model that ships may learn from a row."""
    source = SOURCES.get(row.source)
    return source is not None and source.trains


def _rows(file: Path, split: Split) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["split"] == split and (row["source"], row["orig"]) not in _PROFANITY:
                yield _row(row)


def _row(row: dict[str, str]) -> Row:
    positive = row["label"] in _POSITIVE
    return Row(
        text=row["text"],
        positive=positive,
        source=row["source"],
        language=row["lang"],
        orig=row["orig"],
        name=row.get("author_name") or "",
        email=row.get("author_email") or "",
        url=row.get("author_url") or "",
        kinds=_kinds(row["source"], row["orig"]) if positive else frozenset(),
    )


#: What kind of abuse the positives of a source are, by source or by source and label.
_KINDS: dict[str, frozenset[str]] = {
    name: frozenset(kinds.split())
    for name, kinds in {
        "hatemoji-build": "hate",
        "hatemoji-build/threateninglanguage": "hate threat",
        "measuring-hate-speech": "hate",
        "edos": "hate",
        "edos/1. threats, plans to harm and incitement": "hate threat",
        "davidson/hate": "hate",
        "toxigen-annotated": "hate",
        "hatexplain/hatespeech": "hate",
        "hatexplain/offensive": "insult",
        "implicit-hate-sample": "hate",
        "white-supremacy-forum": "hate",
        "civil-comments-toxic": "insult",
        "wikipedia-talk-context": "insult",
        "wikipedia-talk-toxicity": "insult",
        "surge-toxicity": "insult",
        "germeval2018/INSULT": "insult",
        "germeval2018/ABUSE": "hate",
        "koco-korean-news/hate": "hate",
        "koco-korean-news/offensive": "insult",
        "kold-sample": "insult",
    }.items()
}
_KMHAS_NOT_HATE, _KMHAS_PROFANITY = "8", "3"


def _kinds(source: str, orig: str) -> frozenset[str]:
    if source == "kmhas-korean-news":
        labels = set(orig.replace(",", " ").split())
        kinds = {"insult"} if _KMHAS_PROFANITY in labels else set()
        return frozenset(kinds | ({"hate"} if labels - {_KMHAS_PROFANITY} else set()))
    return _KINDS.get(f"{source}/{orig}", _KINDS.get(source, frozenset()))
