"""Where the data starts: client apps and the event stream. Nothing here is materialised by Dagster."""

from __future__ import annotations

import dagster as dg

from event_assets.defs.assets.describing import owners_of, stream_kind
from event_assets.settings import Settings

EVENT_STREAM = "event_stream"

client_apps = dg.AssetSpec(
    "client_apps",
    description="Websites, apps and servers that send events through an SDK to the ingest API.",
    group_name="ingest",
    kinds={"http"},
    owners=owners_of("ingest"),
)


def event_stream(settings: Settings) -> dg.AssetSpec:
    """The stream of these settings."""
    return dg.AssetSpec(
        EVENT_STREAM,
        deps=[client_apps],
        description="The stream that the ingest API puts acknowledged events on, in records of several events.",
        group_name="ingest",
        kinds={stream_kind(settings)},
        owners=owners_of("ingest"),
    )
