"""Submissions as plain JSON values, for jobs that carry a comment that is stored nowhere."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from service.domain.comment import Author, Submission, ThreadRef


def submission_to_json(submission: Submission) -> dict[str, Any]:
    """Return `submission` as values that JSON can hold."""
    values = _shallow(submission)
    opened = submission.form_opened_at
    return values | {
        "thread": _shallow(submission.thread),
        "author": _shallow(submission.author),
        "form_opened_at": opened.isoformat() if opened else None,
    }


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


def _shallow(record: Submission | Author | ThreadRef) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which took longer than all hashing together.
    return {item.name: getattr(record, item.name) for item in fields(record)}
