"""The quick way to an e-mail address's normal form tells what email-validator tells."""

import pytest
from email_validator import EmailNotValidError, validate_email

from service.web.schemas import normal_email

_LOCALS = (
    "reader", "Jane.Doe", "a+b_c-d", "1", "", ".a", "a.", "a..b", "o'neil", "a b", '"a b"', "ünal",
    "a" * 64, "a" * 65, "postmaster", "a@b", "名前", "{x}",
)  # fmt: skip
_DOMAINS = (
    "example.org", "EXAMPLE.org", "news.example.co.uk", "localhost", "example.test", "a.invalid",
    "-a.org", "a-.org", "a..org", "a.org.", "[192.0.2.1]", "1.2.3.4", "xn--bcher-kva.example",
    "xn--0.org", "bücher.example", "ab--c.org", "under_score.org", "a b.org", "", "org",
    "a" * 63 + ".org", "a" * 64 + ".org", ".".join(["a" * 60] * 4) + ".org",
)  # fmt: skip


@pytest.mark.parametrize("domain", _DOMAINS)
def test_the_library_is_asked_in_another_way_but_says_the_same(domain: str) -> None:
    for local in _LOCALS:
        address = f"{local}@{domain}"
        if len(address) <= 254:
            assert _told(normal_email, address) == _told(_by_the_library, address), address


def _by_the_library(address: str) -> str:
    return validate_email(address, check_deliverability=False).normalized


def _told(function: object, address: str) -> str | None:
    assert callable(function)
    try:
        return str(function(address))
    except EmailNotValidError:
        return None
