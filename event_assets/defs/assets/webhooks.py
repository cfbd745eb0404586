"""segment_webhooks: receivers are told who entered and who left a segment."""

import datetime as dt
import time

import dagster as dg

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, SEGMENT_WEBHOOKS
from event_assets.defs.assets.describing import code_reference, column_schema, owners_of
from event_assets.defs.assets.materialising import asset_of_ranges
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.webhooks import WebhooksResource
from event_assets.pipeline.segment_webhooks import CODE, NAME, tell
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings


def webhooks_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The asset that tells receivers; none where the settings name none."""
    if not settings.segment_webhooks:
        return []
    folder = settings.segments

    @asset_of_ranges(
        name=NAME,
        description=SEGMENT_WEBHOOKS.description,
        group_name="segments",
        deps=[dg.AssetKey(table.name) for table in (SEGMENT_MEMBERSHIPS, IDENTITIES, USERS)],
        kinds={"webhook"},
        owners=owners_of("segments"),
        code_version=CODE,
        tags={"layer": "online"},
        metadata={
            "dagster/column_schema": column_schema(SEGMENT_WEBHOOKS.columns, SEGMENT_WEBHOOKS.key),
            "dagster/code_references": code_reference(tell),
        },
        partitions_def=None,
    )
    def segment_webhooks(
        context: dg.AssetExecutionContext, lake: LakeResource, webhooks: WebhooksResource
    ) -> dg.MaterializeResult[None]:
        done = tell(
            lake.open(), Segments.load(folder), webhooks.receivers(), lambda: dt.datetime.now(dt.UTC), time.sleep
        )
        context.log.info(f"{done.changes} changes in {done.deliveries} deliveries were taken")
        if done.faults:
            # Not again at once: each was tried for its time. What was not taken is told by the next run.
            raise dg.Failure("\n".join(done.faults.values()), allow_retries=False)
        return dg.MaterializeResult(metadata={"deliveries": done.deliveries, "changes": done.changes})

    return [segment_webhooks]
