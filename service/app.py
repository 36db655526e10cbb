"""The web process: puts its parts together."""

import atexit
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import Flask

from service import logs
from service import settings as settings_module
from service.checks import Checks
from service.claims import Claims
from service.domain.clock import utc_now
from service.intake import Intake
from service.jobs import JobQueue, connect
from service.keyring import Keyring
from service.learners import Learners
from service.limits import Limiter
from service.moderation import Moderation
from service.moderation.staff import Staff
from service.rulesets import Rulesets
from service.settings import Settings
from service.storage import open_store
from service.web import routes, telemetry
from service.web.answers import WholeResponse
from service.web.callers import KeyDirectory
from service.web.context import EXTENSION, Services
from service.web.schemas import MAX_REQUEST_BYTES

#: Whoever writes to SQLite counts uses while others wait for their turn.
_LIMITS_SECONDS = 0.25


class _Application(Flask):
    response_class = WholeResponse

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view or hook as it is: none of ours is a coroutine.

        Finding that out anew took a thirtieth of the time that a comment takes.
        """
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Return the web application; settings come from the environment unless given.

    Nothing is connected yet, so it starts with the database or Redis away.
    Raises SettingsError if a setting is unusable.
    """
    settings = settings or settings_module.load()
    logs.configure(settings)
    app = _Application(__name__, template_folder="web/templates", static_folder="web/static")
    _configure(app, settings)
    app.extensions[EXTENSION] = _services(settings)
    telemetry.init_app(app)
    routes.init_app(app, settings)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    # Paths mean what they say: no POST is ever answered with a redirect.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.config.update(
        SECRET_KEY=sha256(f"cookies:{settings.secret_key}".encode()).hexdigest(),
        # One more than is taken: a body that is cut off at the limit must not pass for a whole one.
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES + 1,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
        MAX_FORM_PARTS=100,
        # Over https the browser itself sees to it that no other host sets this cookie.
        SESSION_COOKIE_NAME="__Host-anteroom" if settings.secure_cookies else "anteroom",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
    )


def _services(settings: Settings) -> Services:
    store = open_store(settings.database_url)
    jobs = JobQueue(settings.redis_url, check_seconds=settings.check_timeout)
    keyring = Keyring(settings.secret_key)
    limiter = Limiter(connect(settings.redis_url, answer_seconds=_LIMITS_SECONDS))
    intake = Intake(store, jobs, keyring, limiter, settings)
    atexit.register(intake.close)
    return Services(
        settings=settings,
        store=store,
        jobs=jobs,
        checks=Checks(jobs, seconds=settings.check_timeout),
        keyring=keyring,
        intake=intake,
        moderation=Moderation(store, jobs, keyring, settings),
        staff=Staff(store, utc_now),
        rulesets=Rulesets(store, jobs),
        learners=Learners(store, utc_now),
        limiter=limiter,
        claims=Claims(jobs.connection),
        keys=KeyDirectory(store, keyring, utc_now),
        clock=utc_now,
    )
