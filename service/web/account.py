"""A moderator's own account: password, second factor, sessions, preferences, e-mail."""

import secrets
from typing import Annotated, Literal

from flask import Blueprint, Response, make_response, redirect, request, url_for
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from service.domain.decision import Moderator
from service.domain.errors import FieldError, InvalidSubmission
from service.domain.preferences import Preferences, Theme
from service.onetime import matching_step, qr_code
from service.storage import people
from service.storage.people import Account
from service.web.chrome import Notice, entered, page, tell
from service.web.context import services
from service.web.login import guard, proven, signed_in, start_session
from service.web.pages import html_errors
from service.web.schemas import EmailAddress, OneLine, validate

bp = Blueprint("account", __name__, url_prefix="/review/account")
bp.before_request(guard)
html_errors(bp)

#: Shorter ones are guessed; longer ones than hashes take help nobody.
_SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 1_024
_NONCE_BYTES = 16

_Switch = Literal["on"]


class _PasswordForm(BaseModel):
    password: str = ""
    new_password: str = Field(min_length=_SHORTEST_PASSWORD, max_length=_LONGEST_PASSWORD)


class _TotpForm(BaseModel):
    nonce: str = Field(pattern=r"^[0-9a-f]{32}$")
    code: Annotated[OneLine, Field(max_length=10)]


class _PreferencesForm(BaseModel):
    model_config = ConfigDict(extra="ignore")

    single_keys: _Switch | None = None
    collapse_severe: _Switch | None = None
    still: _Switch | None = None
    theme: Theme = Theme.SYSTEM
    break_after: int = Field(0, ge=0, le=1_000)


class _DigestForm(BaseModel):
    email: EmailAddress | None = None
    hours: Literal["1", "4", "12", "24"] | None = None


@bp.get("")
def account() -> str:
    """The account as it is."""
    return page("account.html", account=_own(), themes=Theme)


@bp.post("/password")
def change_password() -> Response:
    """Replace one's password; every other session ends."""
    _prove(request.form.get("password", ""))
    said = validate(_PasswordForm, entered())
    moderator = signed_in()
    services().staff.set_password(moderator.id, said.new_password, actor=moderator.actor)
    return _anew(moderator, "Your password is changed, and every other session is ended.")


@bp.get("/second-factor")
def second_factor() -> str:
    """A fresh secret to show to an authenticator application."""
    return _offer(secrets.token_hex(_NONCE_BYTES))


@bp.post("/second-factor")
def switch_totp_on() -> Response:
    """Ask for one-time passwords from now on, once one was shown."""
    said = validate(_TotpForm, entered())
    needed, moderator = services(), signed_in()
    if matching_step(needed.keyring.totp_secret(said.nonce), said.code, needed.clock()) is None:
        refused = _offer(said.nonce, "That code does not fit. Please try the next one.")
        return make_response(refused, 422)
    needed.staff.set_totp(moderator.id, said.nonce, actor=moderator.actor)
    return _anew(moderator, "Signing in now asks for a one-time password.")


@bp.post("/second-factor/off")
def switch_totp_off() -> Response:
    """Ask for the password alone."""
    _prove(request.form.get("password", ""))
    moderator = signed_in()
    services().staff.set_totp(moderator.id, None, actor=moderator.actor)
    return _anew(moderator, "Signing in asks for your password alone.")


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End every session of one's own but this one."""
    moderator = signed_in()
    with services().store.write() as db:
        people.drop_tokens_of(db, moderator.id, kind="session")
    return _anew(moderator, "Every other session is ended.")


@bp.post("/preferences")
def change_preferences() -> Response:
    """Keep how one likes the console."""
    said = validate(_PreferencesForm, entered())
    liked = Preferences(
        single_keys=said.single_keys is not None,
        collapse_severe=said.collapse_severe is not None,
        theme=said.theme,
        still=said.still is not None,
        break_after=said.break_after,
    )
    with services().store.write() as db:
        people.set_preferences(db, signed_in().id, liked)
    return _back("Your preferences are kept.")


@bp.post("/digest")
def change_digest() -> Response:
    """Say whether, where and how often one wants to be written to."""
    said = validate(_DigestForm, entered())
    if said.hours and not said.email:
        raise InvalidSubmission([FieldError("/email", "is needed to be written to")])
    hours = int(said.hours) if said.hours else None
    with services().store.write() as db:
        people.change_account(db, signed_in().id, email=said.email or "", digest_hours=hours)
    return _back("Your wishes about e-mail are kept.")


def _own() -> Account:
    with services().store.read() as db:
        account = people.account_of(db, signed_in().id)
    assert account is not None, "they are signed in"
    return account


def _prove(password: str) -> None:
    needed, moderator = services(), signed_in()
    needed.limiter.hit("codes", str(moderator.id), needed.settings.logins_per_minute)
    if proven(moderator.login, password) is None:
        raise InvalidSubmission([FieldError("/password", "is not your password")])


def _offer(nonce: str, error: str = "") -> str:
    secret = services().keyring.totp_secret(nonce)
    picture = Markup(qr_code(secret, signed_in().login))  # noqa: S704  # made here
    return page("second_factor.html", nonce=nonce, secret=secret, picture=picture, error=error)


def _anew(moderator: Moderator, told: str) -> Response:
    """Rotate the session: whoever had a copy of the old one is out."""
    start_session(moderator)
    return _back(told)


def _back(told: str) -> Response:
    tell(Notice(text=told))
    return make_response(redirect(url_for("account.account"), 303))
