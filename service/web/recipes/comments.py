"""Approved comments and the reply form as HTML, made on a website's own server.

    print(comments_html("https://comments.example.org", "news", "pk_...", "article-7", PAGE))

Needs nothing but Python. Keep the answer for some seconds if the page is read a lot.
"""

import json
from html import escape
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen


def comments_html(service: str, site: str, public_key: str, thread: str, page_url: str) -> str:
    """Return the comments of `thread` and the form that posts to it."""
    address = f"{service}/v1/sites/{quote(site, safe='')}/threads/{quote(thread, safe='')}/comments"
    try:
        with urlopen(address, timeout=3) as answer:
            comments = json.load(answer)["comments"]
    except OSError:
        comments = []  # The article appears all the same.
    return f"<ol>{''.join(map(_comment, comments))}</ol>" + _form(
        service, public_key, thread, page_url
    )


def _comment(comment: dict[str, Any]) -> str:
    name = escape(comment["author"]["name"] or "Anonymous")
    replies = "".join(map(_comment, comment["replies"]))
    # `html` is safe as it comes: paragraphs, line breaks and links only.
    return (
        f'<li id="comment-{comment["id"]}"><strong><bdi>{name}</bdi></strong>'
        f' <time>{comment["created_at"]}</time><div dir="auto">{comment["html"]}</div>'
        f"{f'<ol>{replies}</ol>' if replies else ''}</li>"
    )


def _form(service: str, public_key: str, thread: str, page_url: str) -> str:
    hidden = {
        "site_key": public_key,
        "thread_id": thread,
        "thread_url": page_url,
        "redirect_to": page_url,
    }
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    return (
        f'<form method="post" action="{escape(service)}/v1/comments">{fields}'
        '<p><label>Name <input name="author"></label></p>'
        '<p><label>E-mail <input name="email" type="email"></label></p>'
        '<p hidden><input name="website_confirm" tabindex="-1" autocomplete="off"></p>'
        '<p><label>Comment <textarea name="comment" required></textarea></label></p>'
        "<p><button>Post comment</button></p></form>"
    )
