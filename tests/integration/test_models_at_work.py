"""Workers with models and without: what is held and why, and what operators are told."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.jobs import MODERATION, connect
from tests.integration.test_metrics import scrape
from tests.support.signing_in import signed_in
from tests.support.world import World
from worker.models.score import Scorer
from worker.models.shelf import DIRECTORY, SHIPPED, load_models, shipped_models
from worker.queue_worker import QueueWorker

#: An advert that no rule knows a phrase of.
ADVERT = (
    "Congratulations! Your mobile number was awarded a prize, to claim it reply with your code"
    " before midnight. Free entry every week, 150p per text."
)


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


Serve = Callable[[Scorer], None]


@pytest.fixture
def serve(world: World) -> Iterator[Serve]:
    """Let the world's worker have these models, and tell of itself."""
    workers: list[QueueWorker] = []

    def begin(models: Scorer) -> None:
        world.runtime._models = models
        worker = QueueWorker(
            MODERATION, connect(world.settings.redis_url), facts=world.runtime.facts
        )
        worker.register_birth()  # type: ignore[no-untyped-call]  # RQ has no types here
        worker.heartbeat(timeout=20)
        workers.append(worker)

    yield begin
    for worker in workers:
        worker.register_death()  # type: ignore[no-untyped-call]  # RQ has no types here


def test_a_model_holds_what_no_rule_knows_and_says_why(world: World, serve: Serve) -> None:
    serve(shipped_models())

    comment_id = world.judged_comment(body=ADVERT)

    verdict = world.verdict(comment_id)
    [hit] = [hit for hit in verdict["hits"] if hit["rule"] == "spam-model-sure"]
    assert world.status(comment_id) == "held"
    assert hit["why"].startswith("Reads like an advert to the spam model")
    assert hit["spans"]
    assert all(0 <= span["start"] < span["end"] <= len(ADVERT) for span in hit["spans"])
    assert verdict["signals"]["model.spam"].startswith("spam ")
    assert verdict["signals"]["score.spam"] > 0.5


def test_without_its_models_a_worker_judges_by_rules_and_says_so(
    world: World, serve: Serve, tmp_path: Path
) -> None:
    shutil.copytree(DIRECTORY / "spam", tmp_path / "spam")
    (tmp_path / "spam" / "weights.npy").write_bytes(b"nonsense")
    serve(load_models(tmp_path))

    advert, link = world.judged_comment(body=ADVERT), world.held_comment()

    assert world.status(advert) == "approved"
    assert "score.spam" in world.verdict(advert)["absent"]
    assert "several-links" in world.rules_hit(link)
    told = world.client.get("/readyz").get_json()["models"]
    assert told["loaded"] == {}
    assert "spam (weights.npy does not match its checksum)" in told["warning"]
    figures = scrape(world.client)
    assert {model: figures[("anteroom_model_failures", model)] for model in SHIPPED} == (
        dict.fromkeys(SHIPPED, 1)
    )
    page = signed_in(world).client.get("/review/numbers").get_data(as_text=True)
    assert "Rules judge without these models" in page


def test_operators_see_which_models_run(world: World, serve: Serve) -> None:
    serve(shipped_models())

    told = world.client.get("/readyz").get_json()["models"]

    assert list(told["loaded"]) == sorted(SHIPPED)
    assert told["warning"] is None
    figures = scrape(world.client)
    assert figures[("anteroom_worker_models", "spam", told["loaded"]["spam"])] == 1
    page = signed_in(world).client.get("/review/numbers").get_data(as_text=True)
    assert "Rules judge without" not in page
