"""Repetition: the form under which the same text is recognised again."""

import re

from worker.signals.text import View

_NOT_LETTERS = re.compile(r"[\W_]+")


def fingerprint(view: View) -> str:
    """Return what two texts share that differ only in case, accents, spacing and punctuation.

    A text without any letter stands for itself.
    """
    return _NOT_LETTERS.sub(" ", view.text).strip() or view.text
