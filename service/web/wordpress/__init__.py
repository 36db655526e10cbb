"""WordPress: the must-use plugin that points its Akismet plugin here, and how to install it."""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, request
from pydantic import BaseModel
from werkzeug.exceptions import Forbidden, NotFound

from service.domain.decision import Role
from service.domain.site import KeyKind
from service.keyring import new_key
from service.storage.sites import add_key, list_sites, site_by_slug
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.schemas import validate

bp = Blueprint("wordpress", __name__)
keys = Blueprint("wordpress_keys", __name__)
keys.before_request(guard)
html_errors(bp)
html_errors(keys)

_PLUGIN = Path(__file__).with_name("anteroom.php").read_text(encoding="utf-8")
_FILE_NAME = "anteroom.php"


class _KeyForm(BaseModel):
    site: str


@keys.before_request
def _admins_only() -> None:
    if signed_in().role is not Role.ADMIN:
        raise Forbidden("Only admins make keys.")


@bp.get("/docs/wordpress")
def guide() -> str:
    """WordPress in five minutes."""
    return render_template("wordpress.html", address=services().settings.base_url)


@bp.get("/docs/wordpress/anteroom.php")
def plugin() -> Response:
    """The plugin with our address in it, and without a key."""
    return _download(key="")


@keys.get("/review/wordpress")
def choose() -> str:
    """The sites for which a key can be made."""
    with services().store.read() as db:
        sites = list_sites(db)
    return render_template("wordpress_keys.html", moderator=signed_in(), sites=sites)


@keys.post("/review/wordpress")
def make_key() -> Response:
    """Make a key for a site, and hand the plugin out with it; the key is shown nowhere else."""
    wanted = validate(_KeyForm, dict(request.form))
    key, needed = new_key(KeyKind.AKISMET), services()
    with needed.store.write() as db:
        site = site_by_slug(db, wanted.site)
        if site is None:
            raise NotFound("There is no such site.")
        add_key(db, site.id, KeyKind.AKISMET, key, keyring=needed.keyring, now=needed.clock())
    return _download(key)


def _download(key: str) -> Response:
    address = services().settings.base_url.replace("\\", "\\\\").replace("'", "\\'")
    response = make_response(_PLUGIN.replace("@ADDRESS@", address).replace("@KEY@", key))
    # Never `application/x-httpd-php` or the like: nobody is to run it here.
    response.mimetype = "application/octet-stream"
    response.headers["Content-Disposition"] = f'attachment; filename="{_FILE_NAME}"'
    return response
