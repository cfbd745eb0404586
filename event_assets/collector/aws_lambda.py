"""The ingest API on AWS Lambda behind API Gateway (HTTP API, payload 2.0); `handler` is what Lambda calls.

Rates and nonces are remembered per Lambda instance; bound the whole with API Gateway's throttling.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mangum import Mangum

from event_assets.collector.app import create_app
from event_assets.settings import load_settings


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request. Its events are on the stream when it returns: nothing is left to a frozen instance."""
    return _adapter()(event, context)


@cache
def _adapter() -> Mangum:
    """Made at the first request and kept as long as the instance lives."""
    return Mangum(create_app(load_settings(), frozen_between_requests=True), lifespan="on")
