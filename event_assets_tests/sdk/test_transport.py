"""One connection: over TLS with a certificate that is checked, and what is told when there is none."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from event_assets_sdk.answers import Answer, NoAnswer
from event_assets_sdk.transport import Transport
from event_assets_tests.sdk.fault_server import FaultServer

LINES = [b'{"event_id":"e-1"}', b'{"event_id":"e-2"}']


def certificate(folder: Path) -> Path:
    """A file with a new key and its certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "localhost.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_checked(
    trusted: bool, faults: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    faults.use_tls(file)
    transport = Transport(f"https://localhost:{faults.port}", "k", timeout=20)
    answers = [transport.post(LINES), transport.post(LINES)]
    transport.close()
    if trusted:
        assert [answer.status for answer in answers if isinstance(answer, Answer)] == [200, 200]
        assert len(faults.requests) == 2
    else:
        assert all(isinstance(answer, NoAnswer) and "certificate" in answer.detail for answer in answers)
        assert faults.requests == []


def test_a_path_of_the_endpoint_is_kept(faults: FaultServer) -> None:
    transport = Transport(f"{faults.url}/events/", "k", timeout=20)
    assert isinstance(transport.post(LINES), Answer)
    assert faults.paths == ["/events/v1/events"]
    assert faults.headers[0]["x-write-key"] == "k"
    transport.close()


def test_what_happened_instead_of_an_answer_is_told() -> None:
    answer = Transport("http://127.0.0.1:9", "k", timeout=20).post(LINES)
    assert isinstance(answer, NoAnswer) and "ConnectionRefusedError" in answer.detail


def test_a_new_context_is_safe_by_default() -> None:
    transport = Transport("https://localhost", "k", timeout=1)
    connection = transport._connect(1)
    context = transport._tls
    assert connection.timeout == 1 and context is not None
    assert context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED
