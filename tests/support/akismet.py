"""Akismet clients as they are seen on the wire: forms, odd ones too."""

from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
SPAM = "See http://example.com/a and http://example.org/b and http://example.net/c."
THANKS = b"Thanks for making the web a better place."


def form(key: str | None, **fields: Any) -> bytes:
    """Return the body of a call about a comment; `fields` replace or add, None leaves out."""
    given: dict[str, Any] = {
        "api_key": key,
        "blog": "https://blog.example/",
        "user_ip": "192.0.2.44",
        "user_agent": "Mozilla/5.0",
        "permalink": "https://blog.example/a-post/",
        "comment_type": "comment",
        "comment_author": "Ines",
        "comment_author_email": "ines@mail.example",
        "comment_content": "They wrote down every name.",
    }
    sent = {name: value for name, value in (given | fields).items() if value is not None}
    return urlencode(sent).encode()


def as_wordpress_sends(body: bytes) -> bytes:
    """Return the body with its empty fields as bare names, without `=`."""
    return b"&".join(part.removesuffix(b"=") for part in body.split(b"&"))
