"""One request to somebody's server: where it may go, and what a hostile one can do to us."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from service.webhooks.sending import Answer, Bounds, Unsendable, checked_url, is_public, post
from tests.support.receiver import Receiver

LOOPBACK = (ip_network("127.0.0.0/8"),)
PATIENT = Bounds(5.0, LOOPBACK)
#: For receivers that use all the time they are given.
HURRIED = Bounds(0.3, LOOPBACK)

Talk = Callable[[socket.socket], None]
BODY = b"{}"


def hear(connection: socket.socket) -> None:
    """Read the one request whole: a close with something unread would cut the answer off."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n" + BODY):
        part = connection.recv(65_536)
        if not part:
            return
        heard += part


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """Give the address of a server that says what `talk` says to its one visitor."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    hear(connection)
                    talk(connection)
                except OSError:
                    return  # the visitor had enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(30)
        assert not thread.is_alive(), "the visitor should have left"


def send(url: str, bounds: Bounds = PATIENT) -> Answer:
    return post(url, BODY, {"Connection": "close"}, bounds)


def say(text: bytes) -> Talk:
    return lambda connection: connection.sendall(text)


def say_for_ever(text: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(text)

    return talk


def wait_for_hang_up(connection: socket.socket) -> None:
    while connection.recv(1_024):
        pass


# --- where it may go -----------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1",
        "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
        "fec0::1", "3fff::1", "192.0.0.8", "192.0.0.9", "192.88.99.1", "198.18.0.1", "240.0.0.1",
        "::8.8.8.8", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:20::1", "5f00::1",
        "::ffff:192.88.99.1", "2002:c058:6301::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_known_however_they_are_written(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"])
def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    answer = send(f"http://{host}:1/", Bounds(5.0))
    assert answer.status is None
    assert "private address" in answer.error


def test_one_private_address_among_many_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "8.8.8.8", "169.254.169.254")
    assert "private address" in send("http://somewhere.example/", Bounds(5.0)).error


def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Receiver() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        asked = resolves_to(monkeypatch, "127.0.0.1")
        assert send(f"http://rebinding.example:{port}/").status == 204
    assert asked == ["rebinding.example"], "asked once, whatever it answers later"
    assert receiver.received[0].headers["host"] == f"rebinding.example:{port}"


@pytest.mark.parametrize(
    "url",
    ["ftp://news.example/", "news.example", "http:///path", "http://u:p@news.example/",
     "http://news.example:99999/", "http://news.example/a b", "http://n\u00e9ws.example/"],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(Unsendable):
        checked_url(url)
    assert send(url).status is None


def test_a_name_that_nobody_answers_for_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    def lookup(*_rest: Any, **_options: Any) -> Any:
        ended.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    answer = send("http://somewhere.example/", HURRIED)
    ended.set()
    assert (answer.status, answer.error) == (None, "the host's address was not found in time")
    assert answer.took_ms < 10_000


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses; return the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **options: Any) -> Any:
        if host in addresses:
            return real(host, *rest, **options)
        asked.append(host)
        return [found for address in addresses for found in real(address, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


# --- what comes back -----------------------------------------------------------


def test_a_redirect_is_not_followed() -> None:
    with Receiver() as elsewhere, Receiver(lambda _request: 302) as receiver:
        receiver.headers["Location"] = elsewhere.url
        assert send(receiver.url).status == 302
    assert elsewhere.received == []


def test_it_is_told_how_long_to_stay_away() -> None:
    with Receiver(lambda _request: 429) as receiver:
        receiver.headers["Retry-After"] = "120"
        assert send(receiver.url).retry_after == 120


def test_a_receiver_that_is_away_is_named_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").error == "no connection: Connection refused"


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(wait_for_hang_up, id="says nothing"),
        pytest.param(say_for_ever(b"x"), id="one line without end"),
        pytest.param(say_for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"), id="continue without end"),
    ],
)
def test_a_receiver_that_does_not_come_to_an_end_is_cut_off(talk: Talk) -> None:
    with server(talk) as url:
        answer = send(url, HURRIED)
    assert answer.status is None
    assert answer.error


def test_a_receiver_that_drips_is_cut_off_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        stop = threading.Event()
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90:
            connection.sendall(bytes([byte]))
            stop.wait(0.05)

    with server(drip) as url:
        assert send(url, HURRIED).error == "no answer within 0.3 s"


@pytest.mark.parametrize(
    "said",
    [
        b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_an_answer_that_is_none_counts_as_failed(said: bytes) -> None:
    with server(say(said)) as url:
        answer = send(url)
    assert answer.status is None
    assert answer.error


def test_of_a_large_answer_no_more_is_read_than_wanted() -> None:
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10_000_000
    with server(say(huge)) as url:
        assert send(url).status == 200
    with server(say(huge)) as url:
        assert len(send(url, Bounds(5.0, LOOPBACK, body_bytes=1_000)).body) == 1_000


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with tls_server(tmp_path) as url:
        assert send(url).error.startswith("certificate not valid")


def test_an_encrypted_receiver_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path) as url:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
        resolves_to(monkeypatch, "127.0.0.1")
        assert send(url.replace("127.0.0.1", "localhost")).status == 204


@contextmanager
def tls_server(folder: Path) -> Iterator[str]:
    """Give the address of a server with a certificate of its own making, for `localhost`."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out",
         folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    hear(secure)
                    secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(30)
