"""Links: what a reader could follow, told from what only looks like it."""

import pytest

from worker.signals.links import (
    MAX_LINKS,
    find_links,
    find_mail_addresses,
    link_of,
    registered_domain,
)
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
        pytest.param("http://3405803783/x", "203.0.113.7", id="one number for a host"),
        pytest.param("http://0xcb007107", "203.0.113.7", id="a number in base sixteen"),
        pytest.param("http://0313.0.0161.7", "203.0.113.7", id="numbers in base eight"),
        pytest.param("http://127.1/", "127.0.0.1", id="numbers left out"),
        pytest.param("http://[2001:db8::1]/x", "2001:db8::1", id="a long address"),
        pytest.param("evil [dot] com", "evil.com", id="a dot in brackets with blanks"),
        pytest.param("evil{.}com", "evil.com", id="a dot in braces"),
        pytest.param("go to evil dot com now", "evil.com", id="a dot said"),
        pytest.param("evil punto com", "evil.com", id="a dot said in Spanish"),
        pytest.param("vulkan точка com", "vulkan.com", id="a dot said in Russian"),
        pytest.param("evil . com", "evil.com", id="a dot with blanks"),
        pytest.param("deals at evil .com today", "evil.com", id="a dot with a blank before it"),
        pytest.param("evil•com", "evil.com", id="a bullet"),
        pytest.param("evil。com", "evil.com", id="a Chinese full stop"),
        pytest.param("shop.evil dot com/pills", "evil.com", id="a path after a dot said"),
        pytest.param("https : //evil.com", "evil.com", id="a scheme with blanks"),
        pytest.param("h**p://evil.com", "evil.com", id="a scheme with stars"),
        pytest.param(r"http:\\evil.com", "evil.com", id="strokes that lean back"),
        pytest.param("http://good.org@evil.com/", "evil.com", id="a host before the host"),
        pytest.param(r"http://evil.com\@good.org/", "evil.com", id="a stroke before the sign"),
        pytest.param("[pills](pills.it)", "pills.it", id="Markdown"),
        pytest.param("<a href = 'http://pills.net'>", "pills.net", id="HTML with blanks"),
        pytest.param("[link]pills.it[/link]", "pills.it", id="more BBCode"),
        pytest.param("http://p\u0430ypal.com", "xn--pypal-4ve.com", id="mixed alphabets"),
        pytest.param("//evil.com/x", "evil.com", id="no scheme"),
        pytest.param("cheap.xyz.", "cheap.xyz", id="a full stop behind"),
        pytest.param("CHEAP.SB", "cheap.sb", id="capitals and a short ending"),
        pytest.param("best.casino-win.top!!!", "casino-win.top", id="marks behind"),
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
        pytest.param("the dot com bubble and the dot net framework", id="dots in prose"),
        pytest.param("we use dot net and dot coms", id="more dots in prose"),
        pytest.param("the .com bubble, German .info domains", id="endings in prose"),
        pytest.param("our ASP .net code", id="software with a blank in its name"),
        pytest.param("tired at the shelter .online it says open", id="a blank before a full stop"),
        pytest.param("a good point community", id="points in prose"),
        pytest.param("他说。中国", id="a Chinese sentence"),
        pytest.param("the village church.family came", id="words that are endings"),
        pytest.param("http://99999999999/", id="a number that is too large"),
        pytest.param("http://1.2.3.4.5/", id="too many numbers"),
        pytest.param("[readme](readme.md)", id="a file in Markdown"),
        pytest.param("at 10:30 or 5/6, 3.14 and 1/2.5", id="times and fractions"),
        pytest.param("write john (at) example (dot) com", id="mail in words"),
        pytest.param("w.r.t. a.k.a. b.t.w.", id="more abbreviations"),
        pytest.param("“Nein.Doch!” rief er.Sie lachte", id="German without blanks"),
        pytest.param("I am Sorry.SB", id="initials without a blank"),
        pytest.param("fin.El gobierno", id="Spanish without blanks"),
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


@pytest.mark.parametrize(
    ("text", "disguised"),
    [
        ("http://evil.com", False),
        ("www.evil.com/x?y", False),
        ("bücher.de", False),
        ("http://пример.рф", False),
        ("[url=http://evil.com]", False),
        ("http://203.0.113.7", False),
        ("http://user:word@evil.com", False),
        ("evil[.]com", True),
        ("evil dot com", True),
        ("hxxp://evil.com", True),
        ("http : //evil.com", True),
        ("http://good.org@evil.com", True),
        ("http://3405803783", True),
        ("p\u0430ypal.com", True),
    ],
)
def test_a_link_that_a_reader_must_repair_is_disguised(text: str, disguised: bool) -> None:
    [link] = find_links(linkable(text))

    assert link.disguised is disguised


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("(see http://a.com/b).", "http://a.com/b"),
        ("http://a.com/wiki/B_(c)!", "http://a.com/wiki/B_(c)"),
        ("[a](http://a.com/b), c", "http://a.com/b"),
        ('<a href="http://a.com/b">c</a>', "http://a.com/b"),
        ("[url=http://a.com]c[/url]", "http://a.com"),
        ("at a.com/?q=1&r=2; then", "a.com/?q=1&r=2"),
    ],
)
def test_a_link_ends_where_its_sentence_goes_on(text: str, written: str) -> None:
    view = linkable(text)

    assert [view.source(link.start, link.end) for link in find_links(view)] == [written]


def test_links_come_in_the_order_of_the_text() -> None:
    assert domains("one dot com, two.com, http://3405803783, four.com") == [
        "one.com", "two.com", "203.0.113.7", "four.com",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "address", "disguised"),
    [
        ("write to Jane.Doe+x@Mail.example.com.", "jane.doe+x@mail.example.com", False),
        ("jane (at) example (dot) com", "jane@example.com", True),
        ("jane[@]example.com", "jane@example.com", True),
        ("mailto:jane@example.com", "jane@example.com", False),
        ("jane@bücher.de", "jane@bücher.de", False),
    ],
)
def test_an_address_of_mail_is_found(text: str, address: str, disguised: bool) -> None:
    [found] = find_mail_addresses(linkable(text))

    assert (found.address, found.disguised) == (address, disguised)


@pytest.mark.parametrize("text", ["@jane", "jane@home", "a @ b.c", "meet at example.com", "x@y.z"])
def test_what_is_no_address_of_mail_is_left_alone(text: str) -> None:
    assert find_mail_addresses(linkable(text)) == ()
