"""Holds every stage of the pipeline against the simulator's truth, in plain SQL on SQLite and plain Python.

It shares no code with the pipeline: it reads the lake's Parquet files and the warehouse's tables as a stranger would.
"""

from event_assets.verification.evidence import Evidence
from event_assets.verification.report import Expectation
from event_assets.verification.verify import verify

__all__ = ["Evidence", "Expectation", "verify"]
