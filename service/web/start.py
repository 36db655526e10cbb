"""The start page: which doors the service has."""

from flask import Blueprint, render_template

from service.web.context import services

bp = Blueprint("start", __name__)


@bp.get("/")
def doors() -> str:
    """The addresses that people may look for."""
    return render_template("start.html", demo=bool(services().settings.demo_key), docs="/docs")
