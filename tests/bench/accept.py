"""How fast comments are accepted, against Flask saying hello on the same server."""

from tests.bench.load import CONNECTIONS, Load, post
from tests.bench.measures import Measure
from tests.bench.stand import Stand
from tests.support.processes import resident_megabytes

_WARM_SECONDS = 2
_SECONDS = 8
_ROUNDS = 3


def measure(stand: Stand, database: str, *, share: float, slowdown: float | None) -> list[Measure]:
    """Return hello and accept side by side; rounds take turns, the median round counts."""
    store = stand.store()
    stand.caller(store)
    store.close()
    hellos, accepts, memory = [], [], 0.0
    for _ in range(_ROUNDS):
        with stand.web("tests.bench.hello"):
            hellos.append(_loaded(stand))
        with stand.web() as process:
            accepts.append(_loaded(stand))
            memory = max(resident_megabytes(pid) for pid in process.family())
    hello, accept = _median(hellos), _median(accepts)
    return [
        Measure(f"hello, {CONNECTIONS} connections", hello.per_second, "/s"),
        Measure(f"{database}: accepted, {CONNECTIONS} connections", accept.per_second, "/s"),
        Measure(f"{database}: accepted, share of hello", accept.per_second / hello.per_second,
                goal=share),
        Measure(f"{database}: p99 of accepting, times hello's", accept.p99 / hello.p99,
                goal=slowdown, better="less"),
        Measure(f"{database}: p99 of accepting", accept.p99, "ms"),
        Measure(f"{database}: refused while accepting", accept.refused, goal=0, better="less"),
        Measure(f"{database}: memory of the largest web process", memory, "MB", 150, "less"),
    ]  # fmt: skip


def _loaded(stand: Stand) -> Load:
    post(stand.url, stand.key, _WARM_SECONDS)
    return post(stand.url, stand.key, _SECONDS)


def _median(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.per_second)[len(loads) // 2]
