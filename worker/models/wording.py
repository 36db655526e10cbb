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
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff\u200d\ufe0f]")


def blanked(text: str) -> str:
    """Return the text with blanks, as many as there were characters, for what is no word."""
    return NOT_WORDS.sub(lambda match: " " * len(match[0]), text)


def worded(text: str) -> str:
    """Return the text with the names of its pictures in their places."""
    return _PICTURE.sub(_name, _SKIN.sub("", blanked(text)))


def _name(match: re.Match[str]) -> str:
    return _named(match[0])


@lru_cache(maxsize=4096)
def _named(picture: str) -> str:
    return f" {unicodedata.name(picture, '').lower()} "
