from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    yield Lake(Storage(str(tmp_path / "lake")))
