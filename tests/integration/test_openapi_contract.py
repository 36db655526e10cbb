"""The service keeps what its OpenAPI document promises, whatever it is sent."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import environment
from tests.support.installation import Installation
from tests.support.processes import ROOT, python
from tests.support.world import comment_json

SEED = 20_261_124

#: All checks and all phases. Emails, control characters and "one of these two
#: fields" cannot be said in JSON Schema, so 400 and 422 may meet data that the
#: schema allows; what they must look like is checked all the same.
CONFIGURATION = """
seed = {seed}
continue-on-failure = true
workers = 1
request-timeout = 20.0
warnings.fail-on = ["missing_auth"]
hooks = "tests.support.plausible"

[generation]
max-examples = 30
database = "none"

[[operations]]
include-path = "/v1/comments"
generation.max-examples = 80

[phases.stateful]
max-steps = 5

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429", "503"]

[checks.negative_data_rejection]
expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"
]

[auth.openapi.serverKey]
bearer = "{server_key}"

[auth.openapi.moderatorToken]
bearer = "{api_token}"

[dictionaries.comments]
values = [{comments}]

[dictionaries.receipts]
values = [{receipts}]

[parameters]
"path.site" = "{site}"
"path.comment_id" = {{ dictionary = "comments", probability = 0.7 }}
"path.token" = {{ dictionary = "receipts", probability = 0.7 }}
"""


@pytest.fixture
def installation() -> Iterator[Installation]:
    """An installation of its own: this test undoes and erases at random."""
    installation = Installation({"REPORTS_PER_MINUTE": "1000000", "CHECK_TIMEOUT": "18"})
    try:
        yield installation.start()
    finally:
        installation.discard()


def configured(installation: Installation, file: Path) -> Path:
    """Write how to test the installation, with comments of its own to play with."""
    accepted = [installation.post(comment_json()).json() for _ in range(8)]
    for comment in accepted:
        installation.judged(comment["id"])
    file.write_text(
        CONFIGURATION.format(
            seed=SEED,
            comments=quoted(comment["id"] for comment in accepted),
            receipts=quoted(comment["receipt_url"].rpartition("/")[2] for comment in accepted),
            **installation.credentials,
        )
    )
    return file


def quoted(values: Iterator[str]) -> str:
    """Return values as the inside of a TOML list."""
    return ", ".join(f'"{value}"' for value in values)


@pytest.mark.timeout(600)
def test_no_request_gets_an_undocumented_answer_or_breaks_the_service(
    installation: Installation, tmp_path: Path
) -> None:
    configuration = configured(installation, tmp_path / "schemathesis.toml")
    address = f"{installation.base_url}/openapi.json"

    run = subprocess.run(
        python("-m", "schemathesis.cli", "--config-file", str(configuration), "run", address),
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert '"level":"error"' not in installation.output()
    assert accepted(installation) > 10, "it should try more than the checks of fields"


def accepted(installation: Installation) -> int:
    """Return how many comments were accepted since the start."""
    told = installation.request("GET", "/metrics").body.decode()
    [line] = re.findall(r"^anteroom_comments_accepted_total (.*)$", told, re.MULTILINE)
    return int(float(line))
