"""Links: what a reader could follow, told from what only looks like it."""

import pytest

from worker.signals.links import MAX_LINKS, find_links, link_of, registered_domain
from worker.signals.text import linkable


def domains(text: str) -> list[str]:
    """Return the registered domains that a text links to."""
    return [link.domain for link in find_links(linkable(text))]


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        pytest.param("see http://example.com/page", "example.com", id="address"),
        pytest.param("now at cheap.xyz today", "cheap.xyz", id="bare name"),
        pytest.param("BUY AT CHEAP.COM", "cheap.com", id="capitals"),
        pytest.param("on Google.Com", "google.com", id="a keyboard's capital"),
        pytest.param("a.b.c.example.co.uk/x", "example.co.uk", id="deep name"),
        pytest.param("hxxp://evil[.]com", "evil.com", id="written so as not to be one"),
        pytest.param("evil(dot)com", "evil.com", id="a dot in words"),
        pytest.param("[url=http://pills.net]here[/url]", "pills.net", id="BBCode"),
        pytest.param('<a href="pills.it">here</a>', "pills.it", id="HTML"),
        pytest.param("www.pills.it", "pills.it", id="www before a word-like ending"),
        pytest.param("t.me/joinus", "t.me", id="a path after a word-like ending"),
        pytest.param("bücher.de", "xn--bcher-kva.de", id="accents"),
        pytest.param("http://пример.рф", "xn--e1afmkfd.xn--p1ai", id="another alphabet"),
        pytest.param("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai", id="punycode"),
        pytest.param("cheap\u200b.xyz", "cheap.xyz", id="invisible character inside"),
        pytest.param("ｃｈｅａｐ．ｘｙｚ", "cheap.xyz", id="wide letters"),
        pytest.param("http://user:word@evil.com/", "evil.com", id="a name before the host"),
        pytest.param("spam.blogspot.com", "spam.blogspot.com", id="a hosting company's customer"),
        pytest.param("http://203.0.113.7/x", "203.0.113.7", id="a number for a host"),
    ],
)
def test_a_link_is_found(text: str, domain: str) -> None:
    assert domains(text) == [domain]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("write to john.doe@example.com please", id="e-mail"),
        pytest.param("me.info@example.com", id="e-mail with a dotted name"),
        pytest.param("That is the end.No more", id="missing blank"),
        pytest.param("he said yes.it is so", id="missing blank, lower case"),
        pytest.param(
            "the shop is closed.Online it is open", id="missing blank before a new ending"
        ),
        pytest.param("read readme.md and run setup.py or build.sh", id="files"),
        pytest.param("version 1.2.3 of Python 3.12", id="version numbers"),
        pytest.param("e.g. the U.S. at 5 p.m. or i.e. J.R.R. Tolkien", id="abbreviations"),
        pytest.param("we use ASP.NET and Node.js", id="software"),
        pytest.param("what...com on", id="dots"),
        pytest.param("http://internal.invalidtld/", id="an ending that does not exist"),
        pytest.param("1939.1945", id="years"),
        pytest.param("Das ist das Ende.Punkt", id="another language"),
        pytest.param("@some.one agrees", id="mention"),
    ],
)
def test_what_is_no_link_is_left_alone(text: str) -> None:
    assert domains(text) == []


def test_one_link_written_twice_counts_once() -> None:
    text = "[url=http://example.com/a]http://www.example.com/a[/url]"

    assert len(find_links(linkable(text))) == 1


def test_the_place_of_a_link_is_where_it_was_received() -> None:
    received = "Ｌook: cheap\u200b.xyz!"
    view = linkable(received)
    [link] = find_links(view)

    assert view.source(link.start, link.end) == "cheap\u200b.xyz"


@pytest.mark.parametrize(
    ("address", "domain"),
    [("https://www.example.org/me", "example.org"), ("example.org", "example.org")],
)
def test_the_authors_own_address_is_a_link(address: str, domain: str) -> None:
    link = link_of(address)

    assert link is not None
    assert link.domain == domain


@pytest.mark.parametrize("address", ["", "nonsense", "http://[::1", "http://", "//", "a b c"])
def test_an_address_that_leads_nowhere_is_no_link(address: str) -> None:
    assert link_of(address) is None


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("".join(f"http://h{n}.com/ " for n in range(10_000)), id="10,000 addresses"),
        pytest.param("".join(f"ü{n}.nowhere " for n in range(5_000)), id="unknown endings"),
        pytest.param("".join(f"e{n}.am " for n in range(8_000)), id="word-like endings"),
        pytest.param("a." * 32_000, id="dots"),
        pytest.param("a@" * 32_000, id="at signs"),
        pytest.param("[url=" * 13_000, id="BBCode that never ends"),
        pytest.param("http://" * 9_000, id="schemes"),
        pytest.param("ü" * 30_000 + ".de", id="an endless label"),
    ],
)
def test_hostile_text_gives_a_bounded_number_of_links(hostile: str) -> None:
    assert len(find_links(linkable(hostile))) <= MAX_LINKS


@pytest.mark.parametrize("host", ["a" * 300 + ".com", "com", "nothing", "..", "-.-", "\u0301.de"])
def test_a_host_that_nobody_can_register_has_no_domain(host: str) -> None:
    assert registered_domain(host) in (None, host)
