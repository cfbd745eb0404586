"""What the ingest API answers by, put where it finds it: the segments of people; their features, and models."""

import datetime as dt
import time
from contextlib import closing
from dataclasses import replace

import dagster as dg

from event_assets.contract.tables.features import PERSON_FEATURES, TRAINED_MODELS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.defs.assets.describing import code_reference, column_schema, owners_of
from event_assets.defs.assets.materialising import Rebuild, asset_of_ranges
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.online import OnlineResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.pipeline import online_features
from event_assets.pipeline.online import CODE, NAME, publish
from event_assets.settings import Settings

_COLUMNS = (
    replace(IDENTITIES.column("id"), description="A user id or an anonymous id of a person who is in a segment."),
    *(SEGMENT_MEMBERSHIPS.column(name) for name in ("person_id", "segment", "from_date")),
)


_OF_FEATURES = (
    replace(IDENTITIES.column("id"), description="A user id or an anonymous id of a person."),
    *(PERSON_FEATURES.column(name) for name in ("person_id", "from_date", "of_day")),
)


def _kind(settings: Settings) -> str:
    if settings.segments_online_url is None:
        return "sqlite"
    return settings.segments_online_url.get_secret_value().partition(":")[0].removesuffix("ql")


def online_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset that publishes who is in which segment now."""

    @asset_of_ranges(
        name=NAME,
        description="Who is in which segment now, by every id of theirs: what GET /v1/people/{id}/segments answers.",
        group_name="segments",
        deps=[dg.AssetKey(table.name) for table in (SEGMENT_MEMBERSHIPS, IDENTITIES, USERS)],
        kinds={_kind(settings)},
        owners=owners_of("segments"),
        code_version=CODE,
        tags={"layer": "online"},
        metadata={
            "dagster/column_schema": column_schema(_COLUMNS, ("id", "segment")),
            "dagster/code_references": code_reference(publish),
        },
        partitions_def=None,
    )
    def segment_memberships_online(
        context: dg.AssetExecutionContext, config: Rebuild, lake: LakeResource, online: OnlineResource
    ) -> dg.MaterializeResult[None]:
        began = time.perf_counter()
        with closing(online.open()) as table:
            done = publish(lake.open(), table, dt.datetime.now(dt.UTC), anew=config.rebuild)
        seconds = round(time.perf_counter() - began, 3)
        return dg.MaterializeResult(metadata={"ids": done.ids, "is_new": done.is_new, "seconds": seconds})

    return segment_memberships_online


def online_features_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset that publishes what models are asked with."""

    @asset_of_ranges(
        name=online_features.NAME,
        description="What features were of every day, by every id of a person, and the models that score by them: what "
        "POST /v1/segment answers by.",
        group_name="models",
        deps=[dg.AssetKey(table.name) for table in (PERSON_FEATURES, TRAINED_MODELS, IDENTITIES, USERS)],
        kinds={_kind(settings)},
        owners=owners_of("models"),
        code_version=online_features.CODE,
        tags={"layer": "online"},
        metadata={
            "dagster/column_schema": column_schema(_OF_FEATURES, ("id", "from_date")),
            "dagster/code_references": code_reference(online_features.publish_features),
        },
        partitions_def=None,
    )
    def person_features_online(
        context: dg.AssetExecutionContext,
        config: Rebuild,
        lake: LakeResource,
        online: OnlineResource,
        rules: RulesResource,
    ) -> dg.MaterializeResult[None]:
        began, now = time.perf_counter(), dt.datetime.now(dt.UTC)
        with closing(online.open("features")) as table:
            done = online_features.publish_features(
                lake.open(), table, rules.features, rules.models, now, anew=config.rebuild
            )
        seconds = round(time.perf_counter() - began, 3)
        return dg.MaterializeResult(metadata={"ids": done.ids, "is_new": done.is_new, "seconds": seconds})

    return person_features_online
