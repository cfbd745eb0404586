"""Where the data starts: client apps and the event stream. Nothing here is materialised by Dagster."""

from __future__ import annotations

import dagster as dg

from event_assets.assets.materialising import OWNERS

client_apps = dg.AssetSpec(
    "client_apps",
    description="Websites, apps and servers that send events through an SDK to the ingest API.",
    group_name="ingest",
    kinds={"http"},
    owners=OWNERS,
)

event_stream = dg.AssetSpec(
    "event_stream",
    deps=[client_apps],
    description="The stream that the ingest API puts acknowledged events on, in records of several events.",
    group_name="ingest",
    kinds={"kinesis"},
    owners=OWNERS,
)
