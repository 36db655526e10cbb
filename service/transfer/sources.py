"""Which system comments come from: two of them may give their comments the same numbers."""

import hashlib
import re
from dataclasses import dataclass

_SCHEME = re.compile(r"^[a-z]+://(www\.)?")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._:-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """One system of a kind; `name` is empty where neither the file nor anybody tells it."""

    kind: str
    name: str = ""

    def key(self, number: str) -> str:
        """Return what tells the comment with this number from all others anywhere."""
        return f"{self.kind}:{self.name}:{number}" if self.name else self.former_key(number)

    def former_key(self, number: str) -> str:
        """Return the key under which earlier versions kept it, which knew of no source."""
        return f"{self.kind}:{number}"

    def external_id(self, number: str) -> str | None:
        """Return the website's own id of the comment; None without a number."""
        return _NOT_IN_AN_ID.sub("-", self.key(number)) if number else None


def site_name(address: str) -> str:
    """Return how a website is called, whichever way its address is written."""
    return _SCHEME.sub("", address.strip().lower()).rstrip("/")


def number_for(*told: str) -> str:
    """Return what stands for the number of a comment that has none: it follows from its content."""
    return "~" + hashlib.sha256("\0".join(told).encode("utf-8", "replace")).hexdigest()[:32]
