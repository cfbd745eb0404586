from __future__ import annotations

from event_assets_tests.lake.conftest import lake

__all__ = ["lake"]
