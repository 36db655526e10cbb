"""wrk, and what it says."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32

_SCRIPT = Path(__file__).with_name("visitors.lua")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What a stretch of load met: answers a second, and times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    refused: int


def require_wrk() -> None:
    """End with the line to run if wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing. Install it: apt-get install -y wrk")


def post(
    url: str, key: str, seconds: int, connections: int = CONNECTIONS, script: Path = _SCRIPT
) -> Load:
    """Post comments of distinct visitors as fast as the server takes them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script)]
    told = subprocess.run(
        [*command, url],
        env=os.environ | {"BENCH_KEY": key},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", told)[1]),
        p50=_milliseconds("50%", told),
        p99=_milliseconds("99%", told),
        refused=int(refused[1]) if refused else 0,
    )


def _milliseconds(share: str, told: str) -> float:
    found = _found(rf"{share}\s+([\d.]+)(us|ms|s)", told)
    return float(found[1]) * _MILLISECONDS[found[2]]


def _found(pattern: str, told: str) -> re.Match[str]:
    found = re.search(pattern, told)
    assert found is not None, told
    return found
