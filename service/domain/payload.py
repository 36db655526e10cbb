"""Submissions as plain JSON values, for jobs that carry a comment that is stored nowhere."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from service.domain.comment import Author, Submission, ThreadRef


def submission_to_json(submission: Submission) -> dict[str, Any]:
    """Return `submission` as values that JSON can hold."""
    opened = submission.form_opened_at
    return asdict(submission) | {"form_opened_at": opened.isoformat() if opened else None}


def submission_from_json(payload: dict[str, Any]) -> Submission:
    """Return the submission that `submission_to_json` was given."""
    opened = payload["form_opened_at"]
    return Submission(
        **payload
        | {
            "thread": ThreadRef(**payload["thread"]),
            "author": Author(**payload["author"]),
            "form_opened_at": datetime.fromisoformat(opened) if opened else None,
        }
    )
