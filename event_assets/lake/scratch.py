"""Names for what steps write beside the tables, and is gone when they end."""

from __future__ import annotations

import uuid

SCRATCH = "scratch"
"""The folder below the lake's root that holds it all."""
BEFORE = ("_scratch", "_manifests")
"""What it was called before 0.2.0: readers of S3 leave out names that begin with `_`."""


def scratch_folder() -> str:
    """A new name below the root."""
    return f"{SCRATCH}/{uuid.uuid4().hex}"
