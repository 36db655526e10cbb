"""A gate at which a tampered process stands still until the test lets it go on."""

from pathlib import Path
from typing import Self

from tests.support.waiting import wait_until

#: Longer than any test leaves somebody standing.
FOREVER = 60.0


class Gate:
    """Where a tampered process stands still, in a folder that the test sees.

    Used as a context it is closed within the block and open after it, so that a
    test that fails leaves nobody standing.
    """

    def __init__(self, folder: Path) -> None:
        self._reached = folder / "gate-reached"
        self._open = folder / "gate-open"

    def __enter__(self) -> Self:
        self.close()
        return self

    def __exit__(self, *_error: object) -> None:
        self.open()

    def close(self) -> "Gate":
        """Forget who came and stop whoever comes next."""
        self._reached.unlink(missing_ok=True)
        self._open.unlink(missing_ok=True)
        return self

    def pass_through(self) -> None:
        """Say that somebody is here, and go on once the gate is open."""
        self._reached.touch()
        wait_until(self._open.exists, FOREVER, "the gate is open")

    def wait_for_somebody(self) -> None:
        """Return once somebody stands at the gate."""
        wait_until(self._reached.exists, 30, "somebody stands at the gate")

    def open(self) -> None:
        """Let whoever stands there go on."""
        self._open.touch()
