"""The ingest API: takes events over HTTP and answers for each one once the stream has it.

Transformation and storage beyond the stream do not belong here.
"""

from event_assets.collector.app import create_app
from event_assets.collector.keys import WriteKeys

__all__ = ["WriteKeys", "create_app"]
