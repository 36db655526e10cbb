"""The lists of the rules as tables: entries are found, added and removed one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from flask import Blueprint, Response, make_response, redirect, request, url_for
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.domain.decision import Role
from service.domain.errors import (
    FieldError,
    InvalidSubmission,
    ModerationError,
    RulesetNotFound,
)
from service.domain.listing import entries_of, is_entry, remarks_of
from service.domain.ruleset import RulesetSource
from service.rule_file import ListUse, list_uses
from service.rulesets import ListChange
from service.web.answers import read_query
from service.web.chrome import Notice, entered, tell
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors
from service.web.ruling import REFUSALS, problems_of, published, refusal, rules_page
from service.web.schemas import OneLine, invalid, one_line, validate, without_surrogates

bp = Blueprint("rule_lists", __name__, url_prefix="/review/rules/lists")
bp.before_request(guard)
html_errors(bp)

_PAGE_SIZE = 100
_MOST_AT_ONCE = 200
_FOUND_SHOWN = 200


def _entry(text: str) -> str:
    entry = one_line(text)
    if entry and not is_entry(entry):
        raise invalid("may not have a # at the start or after a blank: that begins a comment")
    return entry


def _entries(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    entries = [entry for line in lines if (entry := _entry(line))]
    if len(entries) > _MOST_AT_ONCE:
        raise invalid(f"may be {_MOST_AT_ONCE} at once")
    return "\n".join(entries)


#: One entry a line.
Entries = Annotated[str, AfterValidator(_entries)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[OneLine, Field(max_length=100)] = ""
    page: int = Field(1, ge=1, le=10_000)


class _ChangeForm(BaseModel):
    add: Entries = ""
    # As the list has it, however long or written: what was entered by hand can go as well.
    remove: Annotated[str, AfterValidator(without_surrogates)] = ""


class _NewForm(BaseModel):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    add: Annotated[Entries, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as its table shows it: those entries that were looked for, a page of them."""

    use: ListUse
    entries: Sequence[str]
    count: int
    found: int
    remarks: Sequence[str] = ()
    page: int = 1

    @property
    def next(self) -> int | None:
        """The next page, None on the last one."""
        return self.page + 1 if self.page * _PAGE_SIZE < self.found else None


@bp.get("")
def lists() -> str:
    """Every list, or the entries of all of them that have some words."""
    query = read_query(_Query)
    source = _source()
    return _shown_all(source, query)


@bp.post("")
def make() -> Response:
    """Make a new list, which no rule uses yet."""
    require(Role.SENIOR)
    said, source = validate(_NewForm, entered()), _source()
    if said.name in list_uses(source.rules) or f"lists/{said.name}.txt" in source.lists:
        raise InvalidSubmission([FieldError("/name", "is the name of another list")])
    change = ListChange(f"lists/{said.name}.txt", added=tuple(said.add.split("\n")))
    return _changed(change, said.name) or _to(change.path)


@bp.get("/<path:name>")
def one(name: str) -> str:
    """A list with its exceptions beside it."""
    return _shown(_source(), name, read_query(_Query))


@bp.post("/<path:name>")
def change(name: str) -> Response:
    """Add entries to a list, or remove one, and publish that at once."""
    require(Role.SENIOR)
    said, source = validate(_ChangeForm, entered()), _source()
    wanted = ListChange(
        use_of(source, name).path,
        added=tuple(entry for entry in said.add.split("\n") if entry),
        removed=(said.remove,) if said.remove else (),
    )
    return _changed(wanted, name) or _to(name, q=request.args.get("q"))


def use_of(source: RulesetSource, name: str) -> ListUse:
    """Return a list by its name, or by its path where no rule file names it.

    Raises RulesetNotFound.
    """
    if found := list_uses(source.rules).get(name):
        return found
    if name not in source.lists:
        raise RulesetNotFound(f"no list {name}")
    return next(
        (use for use in list_uses(source.rules).values() if use.path == name),
        ListUse(name, name),
    )


def _changed(wanted: ListChange, name: str) -> Response | None:
    """Publish the change; return a page only if it was refused."""
    moderator = signed_in()
    try:
        version = services().rulesets.change_list(
            wanted, author=moderator.actor, role=moderator.role
        )
    except REFUSALS as error:
        return _refused(error, wanted, name)
    if version is None:
        tell(Notice(text="The list is so already.", alarming=True))
    else:
        tell(published(version, wanted.note[0].upper() + wanted.note[1:]))
    return None


def _refused(error: ModerationError, wanted: ListChange, name: str) -> Response:
    """Return the page with what was entered, and why it was not published."""
    status, words = refusal(error)
    source = _source()
    more: dict[str, Any] = {
        "error": words,
        "problems": problems_of(error),
        "kept": "\n".join(wanted.added),
    }
    known = name in list_uses(source.rules) or name in source.lists
    query = read_query(_Query)
    shown = _shown(source, name, query, **more) if known else _shown_all(source, query, **more)
    return make_response(shown, status)


def _shown_all(source: RulesetSource, query: _Query, **more: Any) -> str:
    uses = [use_of(source, path) for path in source.lists]
    found = [
        (use, entry)
        for use in uses
        for _, entry in entries_of(source.lists[use.path])
        if query.q and query.q.casefold() in entry.casefold()
    ]
    counts = {use.path: len(entries_of(source.lists[use.path])) for use in uses}
    return rules_page(
        "rule_lists.html",
        uses=sorted(uses, key=lambda use: use.name),
        counts=counts,
        query=query,
        found=found[:_FOUND_SHOWN],
        more=len(found) > _FOUND_SHOWN,
        **{"error": "", "problems": (), "kept": ""} | more,
    )


def _shown(source: RulesetSource, name: str, query: _Query, **more: Any) -> str:
    use = use_of(source, name)
    beside = [use_of(source, each) for each in use.exceptions]
    return rules_page(
        "rule_list.html",
        listing=_listing(source, use, query),
        beside=[_listing(source, each, _Query()) for each in beside],
        query=query,
        **{"error": "", "problems": (), "kept": ""} | more,
    )


def _listing(source: RulesetSource, use: ListUse, query: _Query) -> Listing:
    text = source.lists.get(use.path, "")
    entries = [entry for _, entry in entries_of(text)]
    found = [entry for entry in entries if query.q.casefold() in entry.casefold()]
    first = (query.page - 1) * _PAGE_SIZE
    shown = found[first : first + _PAGE_SIZE]
    return Listing(use, shown, len(entries), len(found), remarks_of(text), query.page)


def _source() -> RulesetSource:
    return services().rulesets.live_source()[1]


def _to(name: str, **query: str | None) -> Response:
    return make_response(redirect(url_for("rule_lists.one", name=name, **_said(query)), 303))


def _said(query: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value}
