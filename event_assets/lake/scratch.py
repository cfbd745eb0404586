"""Names for what steps write beside the tables, and is gone when they end."""

from __future__ import annotations

import uuid

SCRATCH = "_scratch"
"""The folder below the lake's root that holds it all."""


def scratch_folder() -> str:
    """A new name below the root."""
    return f"{SCRATCH}/{uuid.uuid4().hex}"
