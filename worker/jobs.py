"""What the job queue calls, by these names: see service/jobs.py."""

from collections.abc import Sequence
from typing import Any

from service.domain.comment import CommentId, SiteId
from service.domain.ruleset import RulesetSource
from worker import delivery, runtime, workbench
from worker.signals.text import linkable, views


def moderate(ids: Sequence[str]) -> None:
    """Judge the named comments and record the verdicts."""
    runtime.current().moderate([CommentId(comment_id) for comment_id in ids])


def moderate_alone(ids: Sequence[str]) -> None:
    """Judge comments that gave trouble before, and no others with them."""
    runtime.current().moderate_alone([CommentId(comment_id) for comment_id in ids])


def check(payloads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the verdicts on texts that are stored nowhere, as `answers` in their order."""
    return {"answers": runtime.current().check_all(payloads)}


def call_back() -> None:
    """Have late verdicts told to the Akismet clients that wait for them."""
    delivery.current().call_back()


def deliver(endpoints: Sequence[int]) -> None:
    """Have these endpoints told what is due."""
    delivery.current().send_out(endpoints)


def fold(text: str) -> dict[str, str]:
    """Return the text as rules see it, by the name of each view."""
    return {view.name: view.text for view in (*views(text, "hard"), linkable(text))}


def examine_rules(source: dict[str, Any]) -> dict[str, Any]:
    """Return every problem of a ruleset, and its rules in brief if it could run."""
    return workbench.examine_source(RulesetSource.from_dict(source))


def try_rules(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict of a ruleset on a made-up comment, or the ruleset's problems."""
    return workbench.try_case(RulesetSource.from_dict(payload["source"]), payload["case"])


def learn(sites: Sequence[int]) -> None:
    """Let the learners of these sites learn from what was decided since they looked last."""
    for site_id in sites:
        runtime.current().learn(SiteId(site_id))


def run_trial(trial_id: str) -> None:
    """Try a ruleset on many comments and keep what comes of it in the record."""
    runtime.current().run_trial(trial_id)
