"""E-mail addresses: what their domain tells."""

import pytest

from worker.signals.email import domain_of, is_disposable, is_listed


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ann@example.org", "example.org"),
        ("Ann@Example.ORG.", "example.org"),
        ('"a@b"@example.org', "example.org"),
        ("ann", ""),
        ("", ""),
    ],
)
def test_an_address_has_a_domain(email: str, domain: str) -> None:
    assert domain_of(email) == domain


@pytest.mark.parametrize(
    ("domain", "disposable"),
    [
        ("mailinator.com", True),
        ("x.mailinator.com", True),
        ("example.org", False),
        ("mailinator.com.example.org", False),
        ("", False),
    ],
)
def test_throw_away_domains_are_known(domain: str, disposable: bool) -> None:
    assert is_disposable(domain) is disposable


@pytest.mark.parametrize(
    ("domain", "listed"),
    [
        ("bad.example", True),
        ("a.b.bad.example", True),
        ("example", False),
        ("sobad.example", False),
    ],
)
def test_a_listed_domain_stands_for_its_subdomains(domain: str, listed: bool) -> None:
    assert is_listed(domain, {"bad.example", "example"}) is listed
