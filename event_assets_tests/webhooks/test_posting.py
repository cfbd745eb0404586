"""A message goes to the address that was judged, and to no other."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from event_assets.webhooks.attempts import NotTaken, Passing, tried
from event_assets.webhooks.posting import judged, post
from event_assets_tests.webhooks.receiving import LOOPBACK, receiving

GETADDRINFO = socket.getaddrinfo


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Has the name hook.example lead to these addresses, look-up by look-up; gives the names that were looked up."""
    left, asked = list(answers), []

    def look_up(host: Any, port: Any, *rest: Any, **how: Any) -> Any:
        if host != "hook.example":
            return GETADDRINFO(host, port, *rest, **how)
        asked.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        *(
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "172.16.0.9",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff0e::1", "::"),
    ],
)
def test_what_is_not_of_the_internet_is_refused_unless_it_is_allowed(address: str) -> None:
    with pytest.raises(NotTaken, match=r"no address of the internet.*SEGMENT_WEBHOOK_NETWORKS"):
        judged(address, 443, ())
    assert str(judged(address, 443, (ip_network(address),))) == str(ip_address(address))


def test_an_address_of_the_internet_may_be_reached() -> None:
    assert str(judged("8.8.8.8", 443, ())) == "8.8.8.8"


def test_nothing_is_sent_to_what_is_refused() -> None:
    with receiving() as received:
        with pytest.raises(NotTaken, match=r"127\.0\.0\.1"):
            post(received.url, b"{}", {})
        post(received.url, b"{}", {"webhook-id": "m"}, LOOPBACK)
    assert received.bodies == [b"{}"] and received.headers[0]["webhook-id"] == "m"


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, ["8.8.8.8", "10.0.0.7"])
    with pytest.raises(NotTaken, match=r"10\.0\.0\.7"):
        post("http://hook.example/x", b"{}", {})


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up would lead elsewhere: there is none."""
    with receiving() as received:
        asked = leads_to(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        post(f"http://hook.example:{received.port}/x", b"{}", {}, LOOPBACK)
    assert asked == ["hook.example"] and received.headers[0]["host"] == f"hook.example:{received.port}"


def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(302, 307, more=[("Location", other.url)]) as received:
        for _ in range(2):
            with pytest.raises(NotTaken, match=r"it answers 30[27], and is not followed elsewhere"):
                post(received.url, b"{}", {}, LOOPBACK)
    assert not other.bodies and len(received.bodies) == 2


def test_an_answer_says_whether_trying_again_may_help() -> None:
    pauses: list[float] = []
    with receiving(503, 429, more=[("Retry-After", "7")]) as received:
        tried(lambda: post(received.url, b"{}", {}, LOOPBACK), pauses.append)
        assert len(received.bodies) == 3 and pauses == [7.0, 7.0]
        received.statuses = [410]
        with pytest.raises(NotTaken, match="it answers 410"):
            tried(lambda: post(received.url, b"{}", {}, LOOPBACK), pauses.append)
    with pytest.raises(Passing):
        post(received.url, b"{}", {}, LOOPBACK)
    with pytest.raises(NotTaken, match="in 5 attempts"):
        tried(lambda: post(received.url, b"{}", {}, LOOPBACK), pauses.append)
    assert pauses[2:] == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_a_certificate_must_be_of_the_name_though_an_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hook.example"]
    make += ["-addext", "subjectAltName=DNS:hook.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)
    with receiving(tls=theirs) as received:
        leads_to(monkeypatch, *[["127.0.0.1"]] * 3)
        url = f"https://hook.example:{received.port}/x"
        with pytest.raises(Passing, match=r"(?i)certificate"):
            post(url, b"{}", {}, LOOPBACK)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        post(url, b"{}", {}, LOOPBACK)
        with pytest.raises(Passing, match=r"(?i)certificate|mismatch"):
            post(f"https://127.0.0.1:{received.port}/x", b"{}", {}, LOOPBACK)
    assert received.bodies == [b"{}"]
