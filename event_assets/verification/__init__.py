"""Holds every stage of the pipeline against the simulator's truth, in plain SQL on SQLite.

It shares no code with the pipeline: it reads the lake's Parquet files and the warehouse's tables as a stranger would.
"""

from event_assets.verification.evidence import Evidence
from event_assets.verification.verify import Expectation, verify

__all__ = ["Evidence", "Expectation", "verify"]
