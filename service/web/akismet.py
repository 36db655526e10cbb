"""The Akismet face: existing clients have their comments checked here, unchanged.

Every answer is status 200 with an exact body, because clients compare bytes.
What cannot be answered is neither "true" nor "false": clients then hold the
comment and ask again, so that nothing unchecked passes.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import structlog
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from service.domain.comment import Comment, CommentId, Status, Submission
from service.domain.decision import Decision, Reason
from service.domain.errors import CheckUnavailable
from service.domain.payload import submission_to_json
from service.domain.site import Caller, KeyKind
from service.domain.verdict import Hit, Total, Verdict, speaks_against, verdict_from_dict
from service.storage import akismet, database_now, judging
from service.storage.akismet import Check, Count
from service.storage.comments import comment_by_id, verdict_of
from service.storage.judging import Judged
from service.web.akismet_form import (
    Fields,
    identity_of,
    key_of,
    read_fields,
    roles,
    says_yes,
    to_submission,
)
from service.web.answers import WholeResponse
from service.web.check import check_seat
from service.web.context import services
from service.web.telemetry import seconds_since_arrival

bp = Blueprint("akismet", __name__)

#: The shortest time after which a client in use gives up is one second: the
#: answer is made within this part of it, the rest is for the way there and back.
_ANSWER_SECONDS = 0.8
#: The part of that in which the comment is stored.
_COMMIT_SECONDS = 0.15
_THANKS = "Thanks for making the web a better place."
_DEBUG = "X-akismet-debug-help"
_BLATANT = 3
_HOLDS_ALONE = 10

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_TEST_SPAMMERS = frozenset({"akismet-guaranteed-spam", "viagra-test-123"})
_TEST_ADDRESS = "akismet-guaranteed-spam@example.com"

Evidence = dict[str, Any]

log = structlog.get_logger(__name__)


@bp.route("/1.1/verify-key", methods=["GET", "POST"])
def verify_key() -> Response:
    """Whether the key is one of ours."""
    return _say("valid") if _caller(read_fields(request)) else _invalid()


@bp.route("/1.1/test", methods=["GET", "POST"])
def test() -> Response:
    """That we can be reached."""
    return _say("connected")


@bp.route("/1.1/deactivate", methods=["GET", "POST"])
def deactivate() -> Response:
    """The website stops asking; there is nothing to do about it here."""
    return _say("deactivated") if _caller(read_fields(request)) else _invalid()


@bp.route("/1.1/comment-check", methods=["POST"])
def comment_check() -> Response:
    """Whether a comment is spam."""
    fields = read_fields(request)
    caller = _caller(fields)
    if caller is None:
        return _invalid()
    if missing := [name for name in ("blog", "user_ip") if not fields.get(name, "").strip()]:
        return _say("error", {_DEBUG: f"Missing required field: {', '.join(missing)}."})
    if "administrator" in roles(fields):
        return _say("false", {"X-akismet-guid": str(uuid4())})
    return _Checking(caller, fields).answer()


@bp.route("/1.1/submit-spam", methods=["POST"])
def submit_spam() -> Response:
    """The website says that a comment is spam."""
    return _told(Decision.SPAM, Reason.ADVERTISING)


@bp.route("/1.1/submit-ham", methods=["POST"])
def submit_ham() -> Response:
    """The website says that a comment is fine."""
    return _told(Decision.APPROVE, Reason.FINE)


@bp.route("/1.1/get-subscription", methods=["GET", "POST"])
def get_subscription() -> Response:
    """What WordPress wants to see before it keeps a key."""
    caller = _caller(read_fields(request))
    if caller is None:
        return _invalid()
    account = {
        "account_id": caller.site.id,
        "account_name": caller.site.name,
        "account_type": "anteroom",
        "status": "active",
        "next_billing_date": False,
        "limit_reached": False,
    }
    return _say_json(account)


@bp.route("/1.1/get-stats", methods=["GET", "POST"])
def get_stats() -> Response:
    """How many comments were checked, and how well."""
    fields = read_fields(request)
    caller = _caller(fields)
    if caller is None:
        return _invalid()
    found = _counts(caller)
    if fields.get("from") == "6-months":
        found = [count for count in found if count.month in _last_months(found, 6)]
    by_month = {month: _totals(c for c in found if c.month == month) for month in _months(found)}
    total = _totals(found)
    checked = total["spam"] + total["ham"]
    wrong = total["missed_spam"] + total["false_positives"]
    return _say_json(
        total
        | {
            "accuracy": round(100 * (1 - wrong / checked), 2) if checked else 100,
            "time_saved": total["spam"] * 5,
            "breakdown": {month: totals | {"da": month} for month, totals in by_month.items()},
        }
    )


@bp.route("/1.1/token", methods=["GET", "POST"])
def token() -> Response:
    """A token for pages at Akismet's own site, of which there are none here."""
    return _say_json({"token": ""}) if _caller(read_fields(request)) else _invalid()


@bp.route("/1.2/usage-limit", methods=["GET", "POST"])
def usage_limit() -> Response:
    """How much of the limit is used; there is none."""
    caller = _caller(read_fields(request))
    if caller is None:
        return _invalid()
    found = _counts(caller)
    this_month = services().clock().strftime("%Y-%m")
    usage = sum(count.comments for count in found if count.month == this_month)
    return _say_json({"limit": "none", "usage": usage, "percentage": "0.00", "throttled": False})


@bp.route("/1.2/key-sites", methods=["GET", "POST"])
def key_sites() -> Response:
    """The checks of the key's site, month by month."""
    fields = read_fields(request)
    caller = _caller(fields)
    if caller is None:
        return _invalid()
    found = _counts(caller)
    month = fields.get("month") or services().clock().strftime("%Y-%m")
    totals = _totals(count for count in found if count.month == month)
    address = caller.site.origins[0] if caller.site.origins else caller.site.slug
    row = {
        "site": address,
        "api_calls": str(totals["spam"] + totals["ham"]),
        **{name: str(number) for name, number in totals.items()},
        "is_revoked": False,
    }
    if fields.get("format") == "csv":
        return _say(_as_csv([row]))
    return _say_json({month: [row], "limit": 500, "offset": 0, "total": 1})


@bp.route("/1.1/", defaults={"name": ""}, methods=_METHODS)
@bp.route("/1.1/<path:name>", methods=_METHODS)
def no_such_call(name: str) -> Response:
    """What is asked for is not here, or not in this way."""
    return _say("error", {_DEBUG: "There is no such call. Comments are checked by POST."})


@bp.errorhandler(HTTPException)
def _unreadable(error: HTTPException) -> Response:
    """Tell what is wrong with a request, in a way that clients take for no verdict."""
    log.warning("akismet call not readable", status=error.code)
    return _say("error", {_DEBUG: " ".join((error.description or error.name).split())})


@bp.errorhandler(Exception)
def _unanswerable(error: Exception) -> Response:
    """Hold what cannot be answered: most clients take any other status for a broken server."""
    log.exception("akismet call not answered", error=type(error).__name__)
    return _say("error", {_DEBUG: "The request could not be answered; ask again later."})


class _Checking:
    """One check on its way to its answer."""

    def __init__(self, caller: Caller, fields: Fields) -> None:
        self._caller = caller
        self._fields = fields
        self._submission = to_submission(fields)
        self._is_test = says_yes(fields, "is_test")
        self._is_trigger = _is_trigger(self._submission)
        self._rechecked = bool(fields.get("recheck_reason"))
        self._keeps = caller.site.akismet_keep_days > 0 and not self._is_test

    def answer(self) -> Response:
        """Return "true" or "false", or something else if there is no verdict yet."""
        known = self._known() if self._rechecked else None
        if known is None:
            verdict = self._verdict()
            guid = self._keep(verdict) if self._keeps else str(uuid4())
            evidence = verdict.as_dict() if verdict else None
            return self._as_answer(verdict.status if verdict else None, evidence, guid)
        comment, evidence = known
        if comment.status is Status.PENDING and (verdict := self._verdict()):
            with services().store.write() as db:
                now = database_now(db)
                judging.record_verdicts(db, [Judged(comment.id, comment.version, verdict)], now)
            evidence, status = verdict.as_dict(), verdict.status
        else:
            status = comment.status
        return self._as_answer(status, evidence, comment.id)

    def _known(self) -> tuple[Comment, Evidence | None] | None:
        """Return the comment as an earlier check or a person left it, and why."""
        with services().store.read() as db:
            fingerprint, guid = _fingerprint(self._caller, self._submission), _guid(self._fields)
            found = akismet.find(db, self._caller.site.id, fingerprint, guid)
            comment = comment_by_id(db, found) if found else None
            return (comment, verdict_of(db, comment.id)) if comment else None

    def _verdict(self) -> Verdict | None:
        """Return the verdict of rules; None if it is not there in time."""
        if self._is_trigger:
            return _guaranteed_spam()
        payload = {
            "site_id": self._caller.site.id,
            "submission": submission_to_json(self._submission),
            "counts": self._keeps and not self._rechecked,
        }
        try:
            with check_seat():
                answer = services().checks.ask(payload, self._patience())
        except CheckUnavailable:
            return None
        return verdict_from_dict(answer["verdict"])

    def _patience(self) -> float:
        """Return the seconds that are left for a verdict; some may have passed already."""
        commit = _COMMIT_SECONDS if self._keeps else 0.0
        return _ANSWER_SECONDS - commit - seconds_since_arrival()

    def _keep(self, verdict: Verdict | None) -> str:
        callback, key = self._fields.get("callback"), key_of(request, self._fields)
        check = Check(
            verdict=verdict,
            fingerprint=_fingerprint(self._caller, self._submission),
            callback=callback or None,
            sealed_key=services().keyring.seal(akismet.SEAL, key) if callback and key else None,
        )
        accepted = services().intake.submit(
            self._caller, self._submission, request_id=g.request_id, check=check
        )
        return accepted.comment_id

    def _as_answer(self, status: Status | None, evidence: Evidence | None, guid: str) -> Response:
        headers = {"X-akismet-guid": guid}
        if status is Status.APPROVED:
            return _say("false", headers)
        if status in (Status.REJECTED, Status.SPAM) or (evidence and speaks_against(evidence)):
            if self._discards(evidence):
                headers["X-akismet-pro-tip"] = "discard"
            return _say("true", headers)
        why = "No verdict yet; ask again later."
        if status is Status.HELD:
            why = "A person has to look at this comment first."
        return _say("hold", headers | {_DEBUG: why})

    def _discards(self, evidence: Evidence | None) -> bool:
        if self._is_trigger:
            return says_yes(self._fields, "test_discard")
        totals = (evidence or {}).get("totals", {}).values()
        blatant = any(total["points"] >= _BLATANT * total["hold_at"] for total in totals)
        return self._caller.site.akismet_discard and blatant


def _told(decision: Decision, reason: Reason) -> Response:
    """Let the website's word on a comment be a decision on it, with the check before it."""
    fields = read_fields(request)
    caller = _caller(fields)
    if caller is None:
        return _invalid()
    if caller.site.akismet_keep_days > 0 and not says_yes(fields, "is_test"):
        submission = to_submission(fields)
        comment_id = _checked_before(caller, fields, submission) or _kept_unchecked(
            caller, submission
        )
        services().moderation.decide_for_site(
            comment_id, decision, site=caller.site.slug, reason=reason
        )
    return _say(_THANKS)


def _checked_before(caller: Caller, fields: Fields, submission: Submission) -> CommentId | None:
    with services().store.read() as db:
        fingerprint = _fingerprint(caller, submission)
        return akismet.find(db, caller.site.id, fingerprint, _guid(fields))


def _kept_unchecked(caller: Caller, submission: Submission) -> CommentId:
    check = Check(verdict=None, fingerprint=_fingerprint(caller, submission))
    accepted = services().intake.submit(caller, submission, request_id=g.request_id, check=check)
    return accepted.comment_id


def _caller(fields: Fields) -> Caller | None:
    key = key_of(request, fields)
    caller = services().keys.caller(key) if key else None
    return caller if caller and caller.kind is KeyKind.AKISMET else None


def _fingerprint(caller: Caller, submission: Submission) -> str:
    identity = json.dumps([caller.site.id, *identity_of(submission)])
    return services().keyring.hash("akismet", identity)


def _guid(fields: Fields) -> str | None:
    """Return the id that an earlier answer gave, where the client remembers it."""
    given = fields.get("guid") or fields.get("akismet_guid") or ""
    try:
        return str(UUID(given))
    except ValueError:
        return None


def _is_trigger(submission: Submission) -> bool:
    author = submission.author
    return author.name in _TEST_SPAMMERS or author.email.lower() == _TEST_ADDRESS


def _guaranteed_spam() -> Verdict:
    hit = Hit(
        "akismet-test", "spam", _HOLDS_ALONE, "Carries the name by which clients try us out",
        needed=True,
    )  # fmt: skip
    return Verdict(
        status=Status.HELD,
        ruleset="none",
        at=services().clock(),
        took_ms=0.0,
        totals={"spam": Total(_HOLDS_ALONE, _HOLDS_ALONE)},
        hits=(hit,),
    )


def _counts(caller: Caller) -> list[Count]:
    with services().store.read() as db:
        return akismet.counts(db, caller.site.id)


def _totals(found: Iterable[Count]) -> dict[str, int]:
    totals: Counter[str] = Counter(spam=0, ham=0, missed_spam=0, false_positives=0)
    for count in found:
        refused = count.now in (Status.SPAM, Status.REJECTED)
        passed = count.said is Status.APPROVED
        totals["spam"] += count.comments if refused or count.now is Status.HELD else 0
        totals["ham"] += count.comments if count.now is Status.APPROVED else 0
        totals["missed_spam"] += count.comments if passed and refused else 0
        wrongly = not passed and count.now is Status.APPROVED
        totals["false_positives"] += count.comments if wrongly else 0
    return dict(totals)


def _months(found: Iterable[Count]) -> list[str]:
    return sorted({count.month for count in found})


def _last_months(found: Iterable[Count], number: int) -> set[str]:
    return set(_months(found)[-number:])


def _as_csv(rows: list[dict[str, Any]]) -> str:
    output = io.StringIO()
    writer = csv.DictWriter(output, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return output.getvalue()


def _invalid() -> Response:
    return _say("invalid", {_DEBUG: "The API key is not one of this service."})


def _say(body: str, headers: dict[str, str] | None = None) -> Response:
    return WholeResponse(body, mimetype="text/plain", headers=headers)


def _say_json(value: object) -> Response:
    return Response(json.dumps(value), mimetype="application/json")
