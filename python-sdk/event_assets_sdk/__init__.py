"""The Python SDK that applications import: `EventClient`. Needs nothing but Python's standard library.

It imports nothing of the platform, and is installed without it: the distribution `event-assets-sdk`.
"""

from event_assets_sdk.client import EventClient
from event_assets_sdk.events import EventFields
from event_assets_sdk.report import Problem, Stats
from event_assets_sdk.version import __version__

__all__ = ["EventClient", "EventFields", "Problem", "Stats", "__version__"]
