"""What is signed is the id, the moment and the body: a receiver tells a change of any of them."""

from __future__ import annotations

import base64
import hashlib
import hmac

from event_assets.webhooks import headers_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_headers_are_those_of_the_specification() -> None:
    """The example that Standard Webhooks' own libraries are tested by."""
    body = b'{"test": 2432232314}'
    assert headers_of(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_another_id_moment_or_body_is_another_signature() -> None:
    asked = [("m", 1, b"{}"), ("n", 1, b"{}"), ("m", 2, b"{}"), ("m", 1, b"{ }")]
    assert len({headers_of(SECRET, *each)["webhook-signature"] for each in asked}) == len(asked)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, b"m.1.{}", hashlib.sha256).digest()).decode()
    assert headers_of(SECRET, *asked[0])["webhook-signature"] == f"v1,{mac}"
