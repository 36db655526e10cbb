"""Wording: a reading of a text as a transformer's tokenizer gets it."""

import re
import unicodedata
from functools import lru_cache

#: The form of the texts. A network belongs to one form only.
VERSION = 1

#: Who is spoken to, and where links lead, are nobody's words.
NOT_WORDS = re.compile(r"https?://\S*|www\.\S+|@\w+|<\w+>")

#: Pictures, which the vocabulary lacks: their names say what they show.
_PICTURE = re.compile("[\u2190-\u2bff\U0001f300-\U0001faff]")
_MODIFIER = re.compile("[\U0001f3fb-\U0001f3ff]")


def blanked(text: str) -> str:
    """Return the text with blanks, as many as there were characters, for what is no word."""
    return NOT_WORDS.sub(lambda match: " " * len(match[0]), text)


def worded(text: str) -> str:
    """Return the text with the names of its pictures in their places, fit to be encoded."""
    whole = blanked(text).encode(errors="replace").decode()
    return _PICTURE.sub(lambda match: _named(match[0]), whole)


def places(text: str) -> list[int]:
    """Return for each character of the worded text which one of the text it stands for."""
    found: list[int] = []
    for place, character in enumerate(text):
        found += [place] * (len(_named(character)) if _PICTURE.match(character) else 1)
    return found


@lru_cache(maxsize=4096)
def _named(picture: str) -> str:
    if _MODIFIER.match(picture):
        return ""
    return f" {unicodedata.name(picture, '').lower()} "
