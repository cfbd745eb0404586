"""The Python SDK that applications import: `EventClient`. Needs nothing but Python's standard library.

It imports nothing of the platform, so that an application can have it without Dagster or Spark.
"""

from event_assets.sdk.client import EventClient
from event_assets.sdk.events import EventFields
from event_assets.sdk.report import Problem, Stats

__all__ = ["EventClient", "EventFields", "Problem", "Stats"]
