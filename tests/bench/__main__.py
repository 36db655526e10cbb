"""Measure everything and print one table: `make bench`, or `python -m tests.bench PART...`."""

import sys
from collections.abc import Callable

from tests.bench import accept, browser, check, console, idle, judge, rules, together
from tests.bench.load import require_wrk
from tests.bench.measures import Measure, table
from tests.bench.stand import postgres_stand, sqlite_stand


def _accept_sqlite() -> list[Measure]:
    with sqlite_stand() as stand:
        return accept.measure(stand, "SQLite", share=0.18, slowdown=2)


def _accept_postgres() -> list[Measure]:
    with postgres_stand() as stand:
        return accept.measure(stand, "PostgreSQL", share=0.14, slowdown=None)


def _judge() -> list[Measure]:
    with sqlite_stand() as stand:
        return judge.measure(stand)


def _together() -> list[Measure]:
    with sqlite_stand() as stand:
        return together.measure(stand)


def _idle() -> list[Measure]:
    with sqlite_stand() as stand:
        return idle.measure(stand)


def _check() -> list[Measure]:
    with sqlite_stand() as stand:
        return check.measure(stand)


def _console_sqlite() -> list[Measure]:
    with sqlite_stand() as stand:
        return console.measure(stand, "SQLite")


def _console_postgres() -> list[Measure]:
    with postgres_stand() as stand:
        return console.measure(stand, "PostgreSQL")


def _browser_sqlite() -> list[Measure]:
    with sqlite_stand() as stand:
        return browser.measure(stand, "SQLite")


def _browser_postgres() -> list[Measure]:
    with postgres_stand() as stand:
        return browser.measure(stand, "PostgreSQL")


PARTS: dict[str, Callable[[], list[Measure]]] = {
    "rules": rules.measure,
    "idle": _idle,
    "check": _check,
    "judge": _judge,
    "accept": _accept_sqlite,
    "accept-postgres": _accept_postgres,
    "together": _together,
    "console": _console_sqlite,
    "console-postgres": _console_postgres,
    "browser": _browser_sqlite,
    "browser-postgres": _browser_postgres,
}


def main(names: list[str]) -> None:
    """Measure the parts named, or all; say which is under way."""
    require_wrk()
    measures: list[Measure] = []
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name} ...", file=sys.stderr, flush=True)
        measures += PARTS[name]()
    print(table(measures))


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - PARTS.keys()
    if unknown:
        sys.exit(f"unknown parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    main(sys.argv[1:] or list(PARTS))
