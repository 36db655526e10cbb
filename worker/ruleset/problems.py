"""What is wrong with a ruleset, told all at once and each with its place."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: an error keeps the ruleset from running, a warning does not.

    `line` and `column` count from 1, as editors do.
    """

    file: str
    line: int
    column: int
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        kind = "" if self.severity == "error" else "warning: "
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.message}"


class RulesetError(Exception):
    """A ruleset that cannot run; `problems` holds every error and warning, in order of place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        super().__init__("\n".join(map(str, errors)))
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a hint at the known word that `word` is probably meant to be, or ""."""
    near = get_close_matches(word, known, n=1)
    return f" (did you mean “{near[0]}”?)" if near else ""
