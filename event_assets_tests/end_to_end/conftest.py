"""One demo for all tests of a file: it has sent its events and stays, as a user leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from event_assets_tests.end_to_end.platform import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that has printed its summary and stays."""
    demo = Demo(tmp_path_factory.mktemp("demo") / "home")
    yield demo
    if demo.process.poll() is None:
        demo.stop()


@pytest.fixture(scope="module")
def first(demo: Demo) -> dict[str, Any]:
    """Its summary."""
    return demo.summary()
