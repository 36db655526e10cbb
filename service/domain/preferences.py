"""How one moderator likes the console."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Theme(StrEnum):
    """Light or dark pages."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person set for themselves.

    `single_keys` lets single letters decide; `collapse_severe` hides texts of
    severe abuse until they are asked for; `still` stops all movement;
    `break_after` is the number of decisions after which a pause is suggested,
    0 for never.
    """

    single_keys: bool = True
    collapse_severe: bool = True
    theme: Theme = Theme.SYSTEM
    still: bool = False
    break_after: int = 60

    def as_dict(self) -> dict[str, Any]:
        """Return the preferences as JSON values."""
        return asdict(self)


def preferences_from(stored: Mapping[str, Any]) -> Preferences:
    """Return stored preferences; what an older version did not know is as shipped."""
    known = {item.name for item in fields(Preferences)}
    kept = {name: value for name, value in stored.items() if name in known}
    if "theme" in kept:
        kept["theme"] = Theme(kept["theme"])
    return Preferences(**kept)
