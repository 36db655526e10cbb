"""Repetition: the form under which the same text is recognised again."""

from worker.signals.text import View


def fingerprint(view: View) -> str:
    """Return what texts share that differ only in case, accents, look-alikes and spacing."""
    return " ".join(view.text.split())
