"""The door: `POST /v1/comments`, as JSON or as a plain HTML form."""

from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.exceptions import BadRequest, HTTPException

from service import metrics
from service.domain.comment import Author, CommentId, Status, Submission, ThreadRef
from service.domain.errors import FieldError, InvalidSubmission, ModerationError
from service.domain.site import Caller, Site
from service.storage.intake import Accepted
from service.web import forms
from service.web.answers import answer
from service.web.callers import bearer_token, origin_of, require_site_key, visitor_address
from service.web.context import Services, receipt_url, services
from service.web.openapi import documented
from service.web.problems import as_problem
from service.web.schemas import (
    AcceptedOut,
    CommentIn,
    SenderRules,
    read_form_body,
    strict_json,
    validate,
)
from service.web.security import content_policy

bp = Blueprint("intake", __name__)

_MAX_IDEMPOTENCY_KEY = 255


@bp.post("/v1/comments")
@documented(
    "Send a comment",
    request=CommentIn,
    form=forms.CommentForm,
    headers={"Idempotency-Key": "Makes a repeated request answer like the first, for 24 hours"},
    responses={202: AcceptedOut, 200: AcceptedOut, 303: None},
    problems=(403, 404, 409, 411, 413, 415, 429, 503),
    security="site",
    tags=["Comments"],
)
def submit() -> Response:
    """Take a comment in.

    The answer comes once the comment is durable; workers judge it right after.
    200 means that the same external_id and content were sent before.
    """
    if forms.is_form(request) and not bearer_token():
        return _from_page()
    return _from_program()


def _from_program() -> Response:
    needed = services()
    caller = require_site_key(needed)
    _limit_site(needed, caller)
    if forms.is_form(request):
        read_form_body(request)
        fields, honeypot = _form_fields(caller.site)
    else:
        fields, honeypot = strict_json(request), False
    accepted = _accept(needed, caller, fields, honeypot)
    return _as_json(accepted)


def _from_page() -> Response:
    """Answer a reader's browser: with pages, and with the entered text kept on errors."""
    needed = services()
    read_form_body(request)
    site: Site | None = None
    try:
        caller = require_site_key(needed, form_key=request.form.get("site_key"))
        site = caller.site
        _limit_site(needed, caller)
        fields, honeypot = _form_fields(site)
        back = _way_back(site)
        accepted = _accept(needed, caller, fields, honeypot)
    except (ModerationError, HTTPException) as error:
        return _refusal_page(error, site)
    if back:
        return make_response(redirect(_with_outcome(back, accepted.comment_id), 303))
    link = receipt_url(accepted.comment_id)
    return make_response(render_template("accepted.html", receipt_url=link), 202)


def read_submission(caller: Caller, fields: object, *, honeypot: bool = False) -> Submission:
    """Return the comment that `fields` describe; raise InvalidSubmission with every error."""
    sent = validate(CommentIn, fields, SenderRules.of(caller))
    return Submission(
        thread=ThreadRef(
            key=sent.thread.id or sent.thread.url or "",
            url=sent.thread.url or "",
            title=sent.thread.title,
        ),
        author=_author(caller, sent),
        body=sent.body,
        parent_id=CommentId(sent.parent_id) if sent.parent_id else None,
        external_id=sent.external_id,
        form_opened_at=sent.form_opened_at,
        honeypot_filled=honeypot,
    )


def _author(caller: Caller, sent: CommentIn) -> Author:
    author = sent.author
    address, agent, referrer = author.ip, author.user_agent, author.referrer
    if not caller.trusted:
        # The reader's own browser calls: what it shows beats what it says.
        address = visitor_address(services().settings.trusted_proxies)
        agent = agent or forms.header("User-Agent")
        referrer = referrer or forms.header("Referer")
    return Author(
        name=author.name,
        email=author.email,
        url=author.url,
        ip=address,
        user_agent=agent,
        referrer=referrer,
        verified_id=author.verified_id,
        email_verified=bool(author.email_verified),
    )


def _accept(needed: Services, caller: Caller, fields: object, honeypot: bool) -> Accepted:
    key = _idempotency_key()
    submission = read_submission(caller, fields, honeypot=honeypot)
    accepted = needed.intake.submit(
        caller, submission, request_id=g.request_id, idempotency_key=key
    )
    if accepted.how == "new":
        metrics.count_accepted()
    return accepted


def _idempotency_key() -> str | None:
    sent: str | None = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if sent is None:
        return None
    # A structured-field string is quoted; clients send bare tokens as well. Servers
    # join repeated headers with commas, which a bare token cannot hold.
    sent = sent.strip()
    quoted = len(sent) > 1 and sent[0] == sent[-1] == '"'
    key = sent[1:-1] if quoted else sent
    repeated = '"' in key or ("," in key and not quoted)
    if repeated or not key or len(key) > _MAX_IDEMPOTENCY_KEY or not key.isprintable():
        raise BadRequest(
            f"Send one Idempotency-Key of 1 to {_MAX_IDEMPOTENCY_KEY} printable characters."
        )
    return key


def _limit_site(needed: Services, caller: Caller) -> None:
    site = caller.site
    bound = site.server_per_minute if caller.trusted else site.public_per_minute
    if bound is not None:
        needed.limiter.hit("site", f"{site.id}:{caller.kind}", bound)


def _form_fields(site: Site) -> tuple[dict[str, object], bool]:
    return forms.fields(request, site.honeypot_field)


def _as_json(accepted: Accepted) -> Response:
    told = AcceptedOut(
        id=accepted.comment_id,
        status=accepted.status,
        receipt_url=receipt_url(accepted.comment_id),
    )
    response = answer(told, 200 if accepted.how == "known" else 202)
    response.headers["Location"] = f"/v1/comments/{accepted.comment_id}"
    if accepted.how == "replayed":
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _way_back(site: Site) -> str | None:
    """Return where the form wants its reader to go, if that is a page of the site."""
    wanted = request.form.get("redirect_to", "").strip()
    if not wanted:
        return None
    target = urljoin(request.host_url, wanted)
    clean = wanted.isprintable() and "\\" not in wanted
    if not clean or origin_of(target) not in site.origins:
        raise InvalidSubmission([FieldError("/redirect_to", "must be a page of the site")])
    return target


def _with_outcome(url: str, comment_id: CommentId) -> str:
    parts = urlsplit(url)
    receipt = urlsplit(receipt_url(comment_id)).path
    outcome = urlencode({"comment_status": Status.PENDING, "receipt": receipt})
    query = f"{parts.query}&{outcome}" if parts.query else outcome
    return urlunsplit(parts._replace(query=query))


def _refusal_page(error: ModerationError | HTTPException, site: Site | None) -> Response:
    told = as_problem(error)
    document = told.get_json()
    page = render_template(
        "refused.html",
        title=document["title"],
        detail=document.get("detail"),
        errors=[
            {"field": forms.label(item["pointer"]), "detail": item["detail"]}
            for item in document.get("errors", [])
        ],
        entered=forms.entered(request),
        action=request.path,
    )
    response = make_response(page, told.status_code)
    for name in ("Retry-After", "RateLimit", "RateLimit-Policy"):
        if name in told.headers:
            response.headers[name] = told.headers[name]
    response.headers["Content-Security-Policy"] = content_policy(*(site.origins if site else ()))
    return response
