"""An API for the tests of company data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_assets_tests.company.apis import serving


@pytest.fixture
def api() -> Iterator[str]:
    """Where it is."""
    with serving([{"id": "p1", "price": 9}]) as url:
        yield url
