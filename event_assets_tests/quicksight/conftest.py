from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from event_assets.quicksight.service import Service
from event_assets.quicksight.target import Target
from event_assets.rules.dashboard import DASHBOARD_FILE, Dashboard
from event_assets_tests.quicksight.fake_quicksight import FakeQuickSight, serving

ANALYSES = {"lifecycle": ["weekly_lifecycle"], "retention": ["weekly_retention"], "funnel": ["one", "two"]} | {
    kind: [f"shipped_{kind}"] for kind in ("paths", "active_users", "stickiness", "web_vitals")
}
TARGET = Target(
    "123456789012",
    "eu-central-1",
    "ea-web",
    "wh.example",
    5439,
    "warehouse",
    secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:quicksight-AbCdEf",
)


@pytest.fixture(scope="session")
def every_kind() -> Dashboard:
    return DASHBOARD_FILE.read(Path(__file__).with_name("every_kind.yaml"))


@pytest.fixture
def dashboard(every_kind: Dashboard) -> Dashboard:
    """Its first page: three data sets."""
    return every_kind.model_copy(update={"pages": every_kind.pages[:1]})


@pytest.fixture
def target() -> Target:
    return TARGET


@pytest.fixture(scope="module")
def answering() -> Iterator[tuple[Any, str, Any]]:
    with serving() as (handler, url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_QUICKSIGHT", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield handler, url, Service.of(TARGET).client


@pytest.fixture
def quicksight(answering: tuple[Any, str, Any]) -> FakeQuickSight:
    """An account in which there is nothing, and a client of it."""
    handler, _, client = answering
    handler.fake = FakeQuickSight(client)
    return handler.fake  # type: ignore[no-any-return]
