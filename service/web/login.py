"""Who reviews: signing in and out, sessions and bearer tokens of moderators.

Sessions live in the record, so that signing out or being disabled ends them at
once; the browser's cookie only carries a random token. Flask-Login finds out
who asks, Flask-WTF guards sessions against forged requests.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, current_user, login_required
from flask_wtf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized

from service.domain.decision import Moderator, Role
from service.keyring import digest
from service.onetime import matching_step
from service.passwords import hash_password, is_outdated, verify_password
from service.storage.people import (
    Account,
    TokenKind,
    account_of,
    add_token,
    drop_token,
    moderator_by_login,
    moderator_by_token,
    set_password,
    use_totp_step,
)
from service.web import pages
from service.web.callers import bearer_token, visitor_address
from service.web.context import Services, services
from service.web.pages import html_errors

bp = Blueprint("login", __name__)
html_errors(bp)

#: Under these names the cookie carries random tokens, and nothing else of worth.
_SESSION_KEY = "signed_in"
_HALF_KEY = "half_way"
#: How long somebody who showed the password may take for the one-time password.
_HALF_LIFE = timedelta(minutes=5)
_MAX_PASSWORD_CHARACTERS = 1_024
_WRONG = "That login name and password do not belong together."
_WRONG_CODE = "That code is not right, or was used before."

csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A moderator who proved who they are, in the shape that Flask-Login wants."""

    moderator: Moderator
    by_session: bool
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what identifies the moderator."""
        return str(self.moderator.id)


class _Manager(LoginManager):  # type: ignore[misc]  # the library has no types
    """Flask-Login without its "remember me" cookie, for which it looks at every answer.

    Looking marks the answer as depending on cookies, and then no cache in
    between may keep what everybody reads.
    """

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


class _Sessions(SecureCookieSessionInterface):
    """Flask's own sessions, prepared only for those who have or get one.

    Programs have none: for them half of what Flask did for a request was this.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed or session.modified:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Let `app` know who asks, and guard what signed-in people send."""
    app.session_interface = _Sessions()
    pages.init_app(app)
    manager = _Manager(app)
    manager.session_protection = None  # sessions live in the record, not in the cookie
    manager.request_loader(_load)
    manager.unauthorized_handler(_unauthorized)
    # Only sessions need the check, and which requests those are is known after
    # the moderator is: see `guard`. A page may stay open as long as its session.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)


def signed_in() -> Moderator:
    """Return who asks; only for views that `guard` protects."""
    return cast(SignedIn, current_user).moderator


def require(role: Role) -> None:
    """Abort unless whoever asks may do what `role` may."""
    if not signed_in().may(role):
        raise Forbidden(f"This takes the role {role}.")


def session_token() -> str | None:
    """Return the token of the session that asks, None where a bearer token does."""
    token: str | None = session.get(_SESSION_KEY)
    return token


@login_required  # type: ignore[untyped-decorator]  # the library has no types
def guard() -> None:
    """Let only moderators through, and with a session only what their own pages sent.

    For `before_request` of a blueprint.
    """
    # Flask-Login lets OPTIONS pass for everybody.
    if current_user.is_authenticated and cast(SignedIn, current_user).by_session:
        refuse_forged()


def refuse_forged() -> None:
    """Abort if another site made the browser send this request."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This request came from another site.")
    csrf.protect()


def proven(login: str, password: str) -> Moderator | None:
    """Return the moderator whose password this is."""
    if "\0" in login or len(password) > _MAX_PASSWORD_CHARACTERS:
        return None
    needed = services()
    with needed.store.read() as db:
        known = moderator_by_login(db, login)
    moderator, stored = known or (None, None)
    # Checked for unknown names too: the time taken must not tell which exist.
    if not verify_password(password, stored) or moderator is None or stored is None:
        return None
    if is_outdated(stored):
        with needed.store.write() as db:
            set_password(db, moderator.id, hash_password(password))
    return moderator


def start_session(moderator: Moderator) -> None:
    """Give this browser a fresh session of the moderator's; what it had before ends."""
    if token := session.get(_SESSION_KEY):
        _end(token)
    _start(moderator, "session", timedelta(hours=services().settings.session_hours))


@bp.get("/login")
def form() -> Response | str:
    """The page to sign in on."""
    if current_user.is_authenticated:
        return _onwards()
    return render_template("login.html", onwards=_wanted_page())


@bp.post("/login")
def sign_in() -> Response:
    """Check login name and password, and start a fresh session."""
    refuse_forged()
    needed = services()
    login = request.form.get("login", "").strip()
    _limit(needed, login)
    moderator = proven(login, request.form.get("password", ""))
    if moderator is None:
        page = render_template("login.html", error=_WRONG, login=login, onwards=_wanted_page())
        return make_response(page, 403)
    with needed.store.read() as db:
        account = account_of(db, moderator.id)
    if account is not None and account.has_totp:
        _start(moderator, "half", _HALF_LIFE)
        return make_response(redirect(url_for("login.code_form", next=_wanted_page()), 303))
    start_session(moderator)
    return _onwards()


@bp.get("/login/code")
def code_form() -> Response | str:
    """The page on which the second factor is shown."""
    if _half_way() is None:
        return make_response(redirect(url_for("login.form", next=_wanted_page()), 303))
    return render_template("code.html", onwards=_wanted_page())


@bp.post("/login/code")
def show_code() -> Response:
    """Check the one-time password, and start a fresh session."""
    refuse_forged()
    needed, account = services(), _half_way()
    if account is None:
        return make_response(redirect(url_for("login.form", next=_wanted_page()), 303))
    moderator = account.moderator
    needed.limiter.hit("codes", str(moderator.id), needed.settings.logins_per_minute)
    if not _right_code(needed, account, request.form.get("code", "")):
        page = render_template("code.html", error=_WRONG_CODE, onwards=_wanted_page())
        return make_response(page, 403)
    _end(session[_HALF_KEY])
    start_session(moderator)
    return _onwards()


@bp.post("/logout")
def sign_out() -> Response:
    """End the session, here and in the record."""
    refuse_forged()
    if token := session.get(_SESSION_KEY):
        _end(token)
    session.clear()
    return make_response(redirect(url_for("login.form"), 303))


def _load(_request: Request) -> SignedIn | None:
    """Return who asks: by bearer token, else by session."""
    bearer = bearer_token()
    token = bearer or session.get(_SESSION_KEY)
    if not token:
        return None
    needed = services()
    with needed.store.read() as db:
        kind: TokenKind = "token" if bearer else "session"
        moderator = moderator_by_token(db, digest(token), needed.clock(), kind=kind)
    return SignedIn(moderator, by_session=not bearer) if moderator else None


def _unauthorized() -> Response:
    if request.path.startswith("/v1/"):
        raise Unauthorized("A moderator's token or session is needed.")
    asked = request.full_path.rstrip("?") if request.method == "GET" else None
    return make_response(redirect(url_for("login.form", next=asked), 303))


def _limit(needed: Services, login: str) -> None:
    address = visitor_address(needed.settings.trusted_proxies) or ""
    for purpose, value in (("address", address), ("login", login.lower())):
        key = needed.keyring.hash(purpose, value)
        needed.limiter.hit("logins", f"{purpose}:{key}", needed.settings.logins_per_minute)


def _half_way() -> Account | None:
    """Return who has shown the password in this browser and owes the one-time password."""
    token = session.get(_HALF_KEY)
    if not token:
        return None
    needed = services()
    with needed.store.read() as db:
        moderator = moderator_by_token(db, digest(token), needed.clock(), kind="half")
        return account_of(db, moderator.id) if moderator else None


def _right_code(needed: Services, account: Account, code: str) -> bool:
    if account.totp_nonce is None:
        return True  # an admin switched it off in the meantime
    secret = needed.keyring.totp_secret(account.totp_nonce)
    step = matching_step(secret, code, needed.clock())
    if step is None:
        return False
    with needed.store.write() as db:
        return use_totp_step(db, account.moderator.id, step)


def _start(moderator: Moderator, kind: TokenKind, life: timedelta) -> None:
    needed, token = services(), secrets.token_urlsafe(32)
    now = needed.clock()
    with needed.store.write() as db:
        add_token(db, moderator.id, digest(token), kind, now=now, expires_at=now + life)
    # Nothing that was in the cookie before may live on, its CSRF token included.
    session.clear()
    session[_SESSION_KEY if kind == "session" else _HALF_KEY] = token


def _end(token: str) -> None:
    with services().store.write() as db:
        drop_token(db, digest(token))


def _onwards() -> Response:
    return make_response(redirect(_wanted_page() or url_for("console.queue"), 303))


def _wanted_page() -> str | None:
    """Return the page asked for before signing in, if it is one of the console's."""
    return pages.own_page(request.values.get("next", ""))
