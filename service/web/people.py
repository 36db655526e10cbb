"""The people page: admins make accounts, give rights and take them."""

from typing import Annotated, Literal

from flask import Blueprint, Response, make_response, redirect, request, url_for
from pydantic import BaseModel, Field
from werkzeug.exceptions import Forbidden

from service.domain.comment import SiteId
from service.domain.decision import Role
from service.domain.errors import FieldError, InvalidSubmission, PersonNotFound
from service.domain.site import Site
from service.moderation.staff import Rights, new_password
from service.storage import people
from service.storage.acts import recent_acts
from service.storage.sites import list_sites
from service.web.chrome import Notice, entered, page, tell
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.schemas import validate

bp = Blueprint("people", __name__, url_prefix="/review/people")
html_errors(bp)

_ACTS_SHOWN = 20


class _RightsForm(BaseModel):
    role: Role
    reach: Literal["every", "some"] = "every"
    sites: list[str] = Field(default=[], max_length=1_000)


class _NewPersonForm(_RightsForm):
    login: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


@bp.before_request
def _admins_only() -> Response | None:
    refused: Response | None = guard()
    if refused is None and not signed_in().manages_people:
        raise Forbidden("Only admins manage people.")
    return refused


@bp.get("")
def people_page() -> str:
    """Everybody, with what they may do."""
    return _shown()


@bp.post("")
def make() -> Response:
    """Make an account; its password is shown this once."""
    said = validate(_NewPersonForm, _fields())
    password = new_password()
    rights = Rights(said.role, _sites(said))
    services().staff.add(said.login, rights, password, actor=signed_in().actor)
    return make_response(_shown(login=said.login, password=password))


@bp.post("/<int:moderator_id>/rights")
def give(moderator_id: int) -> Response:
    """Replace a person's role and sites."""
    said = validate(_RightsForm, _fields())
    services().staff.give(moderator_id, Rights(said.role, _sites(said)), actor=signed_in().actor)
    return _back("The rights are changed.")


@bp.post("/<int:moderator_id>/disable")
def disable(moderator_id: int) -> Response:
    """Shut a person out, in every session and with every token."""
    services().staff.disable(moderator_id, actor=signed_in().actor)
    return _back("The person is shut out.")


@bp.post("/<int:moderator_id>/enable")
def enable(moderator_id: int) -> Response:
    """Let a person in again."""
    services().staff.enable(moderator_id, actor=signed_in().actor)
    return _back("The person can sign in again.")


@bp.post("/<int:moderator_id>/password")
def replace_password(moderator_id: int) -> Response:
    """Give a person a fresh password, shown this once."""
    with services().store.read() as db:
        account = people.account_of(db, moderator_id)
    if account is None:
        raise PersonNotFound
    password = new_password()
    services().staff.set_password(moderator_id, password, actor=signed_in().actor)
    return make_response(_shown(login=account.moderator.login, password=password))


@bp.post("/<int:moderator_id>/second-factor/off")
def switch_totp_off(moderator_id: int) -> Response:
    """Let a person who lost their telephone in by password alone."""
    services().staff.set_totp(moderator_id, None, actor=signed_in().actor)
    return _back("Signing in asks them for the password alone.")


def _shown(*, login: str = "", password: str = "") -> str:
    with services().store.read() as db:
        everybody, sites = people.accounts(db), list_sites(db)
        acts = recent_acts(db, _ACTS_SHOWN)
    return page(
        "people.html", accounts=everybody, sites=sites, roles=Role, acts=acts,
        login=login, password=password,
    )  # fmt: skip


def _fields() -> dict[str, object]:
    return entered() | {"sites": request.form.getlist("sites")}


def _sites(said: _RightsForm) -> frozenset[SiteId] | None:
    if said.reach == "every":
        return None
    with services().store.read() as db:
        known: dict[str, Site] = {site.slug: site for site in list_sites(db)}
    chosen = frozenset(known[slug].id for slug in said.sites if slug in known)
    if not chosen:
        raise InvalidSubmission([FieldError("/sites", "must name at least one site")])
    return chosen


def _back(told: str) -> Response:
    tell(Notice(text=told))
    return make_response(redirect(url_for("people.people_page"), 303))
