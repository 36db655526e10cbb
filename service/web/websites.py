"""How websites show comments: one script, or a few lines on their own server."""

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, render_template, url_for

from service.web.context import services
from service.web.pages import html_errors

bp = Blueprint("websites", __name__)
html_errors(bp)

_FOLDER = Path(__file__).with_name("recipes")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A program that people copy into their website."""

    language: str
    anchor: str
    code: str


_RECIPES = tuple(
    Recipe(language, anchor, (_FOLDER / name).read_text(encoding="utf-8"))
    for language, anchor, name in (
        ("Python", "python", "comments.py"),
        ("PHP", "php", "comments.php"),
        ("JavaScript", "javascript", "comments.mjs"),
    )
)


@bp.get("/docs/websites")
def guide() -> str:
    """Comments on a website, with and without JavaScript."""
    base_url = services().settings.base_url
    return render_template(
        "websites.html",
        address=base_url,
        script=base_url + url_for("static", filename="embed.js"),
        recipes=_RECIPES,
    )
