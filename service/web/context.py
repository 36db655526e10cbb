"""What views need of the rest of the service, made once for each web process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app

from service.checks import Checks
from service.claims import Claims
from service.domain.comment import CommentId
from service.intake import Intake
from service.jobs import JobQueue
from service.keyring import Keyring
from service.learners import Learners
from service.limits import Limiter
from service.moderation import Moderation
from service.moderation.staff import Staff
from service.rulesets import Rulesets
from service.settings import Settings
from service.storage import Store
from service.web.callers import KeyDirectory

EXTENSION = "anteroom"


@dataclass(frozen=True, slots=True)
class Services:
    """The collaborators of one web process."""

    settings: Settings
    store: Store
    jobs: JobQueue
    checks: Checks
    keyring: Keyring
    intake: Intake
    moderation: Moderation
    staff: Staff
    rulesets: Rulesets
    learners: Learners
    limiter: Limiter
    claims: Claims
    keys: KeyDirectory
    clock: Callable[[], datetime]


def services() -> Services:
    """Return the collaborators of the running application."""
    return cast(Services, current_app.extensions[EXTENSION])


def receipt_url(comment_id: CommentId) -> str:
    """Return the private link under which its author follows a comment."""
    needed = services()
    return f"{needed.settings.base_url}/v1/receipts/{needed.keyring.receipt(comment_id)}"
