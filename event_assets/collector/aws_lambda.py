"""The ingest API on AWS Lambda behind API Gateway (HTTP API, payload 2.0); `handler` is what Lambda calls.

Rates and nonces are remembered per Lambda instance; bound the whole with API Gateway's throttling. Where the settings
name the secret of a content delivery network, requests that did not come through it are refused.
"""

from __future__ import annotations

import json
from functools import cache, partial
from typing import Any

from mangum import Mangum

from event_assets.collector.app import create_app
from event_assets.collector.origin import Origin
from event_assets.settings import function_settings, secret_texts


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request. Its events are on the stream when it returns: nothing is left to a frozen instance."""
    origin = _origin()
    admitted = origin.admitted(event) if origin else event
    return _REFUSED if admitted is None else _adapter()(admitted, context)


_REFUSED = {
    "statusCode": 403,
    "headers": {"content-type": "application/json"},
    "body": json.dumps({"error": "not_this_way", "detail": "send to the address that the stack prints"}),
}
"""To who found the API's own address."""


_settings = cache(function_settings)


@cache
def _origin() -> Origin | None:
    settings = _settings()
    if settings.collector_origin_secret is None:
        return None
    return Origin(partial(secret_texts, settings.collector_origin_secret, settings.aws_region))


@cache
def _adapter() -> Mangum:
    """Made at the first request and kept as long as the instance lives."""
    return Mangum(create_app(_settings(), frozen_between_requests=True), lifespan="on")
