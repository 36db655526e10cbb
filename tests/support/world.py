"""A site with its keys, a moderator, the web application and a worker, in one process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from service.domain.decision import Event, Moderator, Role
from service.domain.site import KeyKind, Site
from service.jobs import MODERATION, JobQueue, connect
from service.keyring import Keyring, digest, new_key, new_token
from service.moderation import Moderation
from service.settings import Settings
from service.storage import Store
from service.storage.comments import events_of, verdict_of
from service.storage.people import add_token, create_moderator
from service.storage.sites import add_key, create_site
from service.storage.tables import comments
from worker import runtime
from worker.mailservers import MailServers
from worker.queue_worker import QueueWorker
from worker.rulesets import LiveRules
from worker.runtime import Runtime

if TYPE_CHECKING:
    from service.web.context import Services

ORIGIN = "https://news.example"

_numbers = count(1)


class _Compiled(BytecodeCache):
    """Templates that the application of an earlier test has compiled already."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


def comment_json(**changes: Any) -> dict[str, Any]:
    """Return a valid comment as the API takes it, by a visitor seen nowhere else.

    `changes` replace members: `body="..."`, `thread={...}`; for the author
    they replace single fields, `author={"name": "..."}`.
    """
    number = next(_numbers)
    author = {
        "name": f"Reader {number}",
        "email": f"reader{number}@mail.example",
        "ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
    }
    author |= changes.pop("author", {})
    return {
        "thread": {"id": "an-article", "url": f"{ORIGIN}/an-article", "title": "An article"},
        "author": author,
        "body": f"A calm remark, number {number}.",
    } | changes


def bearer(key: str) -> dict[str, str]:
    """Return the header with which `key` speaks."""
    return {"Authorization": f"Bearer {key}"}


@dataclass
class World:
    """Everything a test of the whole service needs, over one fresh database."""

    settings: Settings
    store: Store
    site: Site
    server_key: str
    public_key: str
    akismet_key: str
    moderator: Moderator
    token: str
    app: Flask = field(repr=False)

    @cached_property
    def client(self) -> FlaskClient:
        """Return a client of the application."""
        return self.app.test_client()

    @property
    def services(self) -> "Services":
        """The collaborators of the web process."""
        services: Services = self.app.extensions["anteroom"]
        return services

    @property
    def moderation(self) -> Moderation:
        """The use cases."""
        return self.services.moderation

    @property
    def jobs(self) -> JobQueue:
        """The job queue."""
        return self.services.jobs

    def post(
        self,
        payload: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        path: str = "/v1/comments",
    ) -> TestResponse:
        """Send JSON with the server key, unless another is given; by default a valid comment."""
        sent = comment_json() if payload is None else payload
        return self.client.post(
            path, json=sent, headers=bearer(key or self.server_key) | dict(headers or {})
        )

    def post_comment(self, **changes: Any) -> CommentId:
        """Send a valid comment, changed as `comment_json` says, and return its id."""
        answer = self.post(comment_json(**changes))
        assert answer.status_code == 202, answer.get_data(as_text=True)
        self.hand_over()
        return CommentId(answer.get_json()["id"])

    def judged_comment(self, **changes: Any) -> CommentId:
        """Send a comment, have it judged, and return its id."""
        comment_id = self.post_comment(**changes)
        self.run_worker_once()
        return comment_id

    def held_comment(self, **changes: Any) -> CommentId:
        """Send a comment that the rules hold, have it judged, and return its id."""
        links = "See http://example.com/a and http://example.org/b and http://example.net/c."
        comment_id = self.judged_comment(**({"body": f"{links} {next(_numbers)}"} | changes))
        assert self.status(comment_id) == "held"
        return comment_id

    def approved_comment(self, **changes: Any) -> CommentId:
        """Send a comment that the rules approve, have it judged, and return its id."""
        comment_id = self.judged_comment(**changes)
        assert self.status(comment_id) == "approved"
        return comment_id

    def run_worker_once(self, queue: str = MODERATION) -> None:
        """Let a real worker do all jobs that wait on `queue`, in this process."""
        self.hand_over()
        with patch.object(runtime, "current", lambda: self.runtime):
            QueueWorker(queue, connect(self.settings.redis_url, answer_seconds=None)).work(
                burst=True, logging_level="WARNING"
            )

    def hand_over(self) -> None:
        """Wait until there are jobs for all comments that were taken in."""
        # Its end is when that is so; the next comment makes it begin again.
        self.services.intake.close()

    @cached_property
    def runtime(self) -> Runtime:
        """The worker's side. Domains named `takes-no-mail.example` take no mail, others do."""
        runtime = Runtime(
            self.settings,
            store=self.store,
            jobs=self.jobs,
            rules=LiveRules(self.store),
            mail_servers=MailServers(lookup=lambda domain: domain != "takes-no-mail.example"),
        )
        runtime.warm_up()
        return runtime

    def get(self, comment_id: CommentId) -> dict[str, Any]:
        """Return a comment as the website reads it."""
        answer = self.client.get(f"/v1/comments/{comment_id}", headers=bearer(self.server_key))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found

    def row(self, comment_id: CommentId) -> Any:
        """Return a comment's row."""
        with self.store.read() as db:
            return db.execute(sa.select(comments).where(comments.c.id == comment_id)).one()

    def status(self, comment_id: CommentId) -> str:
        """Return where a comment stands."""
        status: str = self.row(comment_id).status
        return status

    def count(self) -> int:
        """Return how many comments are stored."""
        with self.store.read() as db:
            return db.execute(sa.select(sa.func.count()).select_from(comments)).scalar_one()

    def events(self, comment_id: CommentId) -> list[Event]:
        """Return what happened to a comment, in order."""
        with self.store.read() as db:
            return events_of(db, comment_id)

    def verdict(self, comment_id: CommentId) -> dict[str, Any]:
        """Return the verdict on a comment."""
        with self.store.read() as db:
            verdict = verdict_of(db, comment_id)
        assert verdict is not None, "not judged yet"
        return verdict

    def rules_hit(self, comment_id: CommentId) -> set[str]:
        """Return the names of the live rules that matched."""
        return {hit["rule"] for hit in self.verdict(comment_id)["hits"] if hit["mode"] == "live"}

    def second_site(self, slug: str = "other", **options: Any) -> tuple[Site, str]:
        """Make another site and return it with its server key."""
        key = new_key(KeyKind.SERVER)
        now = datetime.now(UTC)
        with self.store.write() as db:
            site = create_site(db, slug=slug, name=slug.title(), now=now, **options)
            add_key(db, site.id, KeyKind.SERVER, key, keyring=self.services.keyring, now=now)
        return site, key

    def second_moderator(
        self, login: str = "second", role: Role = Role.MODERATOR
    ) -> tuple[Moderator, str]:
        """Make another moderator and return them with their token."""
        return _moderator(self.store, login, role)

    def close(self) -> None:
        """Give up what the application holds open."""
        self.services.intake.close()
        if "runtime" in self.__dict__:
            self.runtime.close()
        self.jobs.close()
        self.services.store.close()


def make_world(store: Store, settings: Settings, **site_options: Any) -> World:
    """Return a world over `store`; `site_options` are further fields of its site."""
    from service.app import create_app

    keys = {kind: new_key(kind) for kind in KeyKind}
    keyring = Keyring(settings.secret_key)
    now = datetime.now(UTC)
    options: dict[str, Any] = {"slug": "news", "name": "The News", "origins": (ORIGIN,)}
    with store.write() as db:
        site = create_site(db, now=now, **(options | site_options))
        for kind, key in keys.items():
            add_key(db, site.id, kind, key, keyring=keyring, now=now)
    moderator, token = _moderator(store, "mod", Role.ADMIN)
    app = create_app(settings)
    app.jinja_env.bytecode_cache = _compiled
    return World(
        settings=settings,
        store=store,
        site=site,
        server_key=keys[KeyKind.SERVER],
        public_key=keys[KeyKind.PUBLIC],
        akismet_key=keys[KeyKind.AKISMET],
        moderator=moderator,
        token=token,
        app=app,
    )


def _moderator(store: Store, login: str, role: Role) -> tuple[Moderator, str]:
    token, now = new_token(), datetime.now(UTC)
    with store.write() as db:
        moderator = create_moderator(db, login, "no password", role, now)
        add_token(db, moderator.id, digest(token), "token", now=now)
    return moderator, token
