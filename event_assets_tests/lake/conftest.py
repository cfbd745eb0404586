from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Storage(str(tmp_path / "lake")))
