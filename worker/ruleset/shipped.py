"""The ruleset that ships with the worker."""

from functools import cache
from pathlib import Path

import worker
from service.domain.ruleset import RuleOutline, RulesetSource
from worker.ruleset.loading import load, read_directory
from worker.ruleset.model import Ruleset
from worker.ruleset.outline import outline

DIRECTORY = Path(worker.__file__).parent / "rules"


@cache
def shipped_source() -> RulesetSource:
    """Return the shipped rule file with its lists."""
    return read_directory(DIRECTORY)


@cache
def shipped_outline() -> list[RuleOutline]:
    """Return the shipped rules in brief."""
    return outline(shipped_source(), load_ruleset())


@cache
def load_ruleset() -> Ruleset:
    """Return the shipped rules with their lists, ready to judge by; loaded once a process."""
    return load(shipped_source(), tested=True)
