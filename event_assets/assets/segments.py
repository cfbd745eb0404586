"""Who was in which segment, by the conditions in the user's folder, with a picture of how many there were."""

import datetime as dt
from collections.abc import Mapping, Sequence

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import DataFrame

from event_assets.assets.lake_asset import Rebuild, lake_asset, materialise
from event_assets.assets.pictures import lines
from event_assets.assets.product import warnings_of
from event_assets.contract.segment_files import Segments
from event_assets.contract.tables import ENRICHED_EVENTS, SEGMENT_MEMBERSHIPS
from event_assets.resources.lake import LakeResource
from event_assets.resources.rules import RulesResource
from event_assets.steps import segmenting
from event_assets.steps.people import last_date
from event_assets.steps.segmenting import Segmenting, memberships_step
from event_assets.transforms.memberships import members_by_day

GROUP = "people"
_SHOWN_DAYS, _SHOWN_SEGMENTS = 90, 6


def memberships_asset(segments: Segments) -> dg.AssetsDefinition:
    """The asset of all segments that can be used."""

    @lake_asset(
        SEGMENT_MEMBERSHIPS,
        group=GROUP,
        deps=["enriched_events", "identities", "user_traits", "sessions"],
        kinds={"pyspark", "delta"},
        code_version=f"{segmenting.CODE}-{segments.digest}",
    )
    def segment_memberships(
        context: dg.AssetExecutionContext,
        config: Rebuild,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> dg.MaterializeResult[None]:
        opened, what = lake.open(), Segmenting(segments, rules.sessions(), config.rebuild)
        done = materialise(context, lambda: memberships_step(opened, spark.spark_session, what))
        made = opened.table(SEGMENT_MEMBERSHIPS.name).snapshot().read(spark.spark_session)
        names = [segment.name for segment in segments.usable]
        found = _findings(made, names, last_date(opened.table(ENRICHED_EVENTS.name).snapshot()))
        return dg.MaterializeResult(metadata={**(done.metadata or {}), **found, **warnings_of(segments.usable, rules)})

    return segment_memberships


def _findings(memberships: DataFrame, names: Sequence[str], last: dt.date) -> dict[str, dg.MetadataValue]:
    """How many members each segment has, and as a picture how many it had on each of the last days."""
    changes: dict[str, dict[dt.date, int]] = {name: {} for name in names}
    for row in members_by_day(memberships).collect():
        changes.setdefault(row["segment"], {})[row["event_date"]] = row["members"]
    days = [last - dt.timedelta(days=back) for back in reversed(range(_SHOWN_DAYS))]
    series = {name: _on_days(known, days) for name, known in changes.items()}
    largest = sorted(series, key=lambda name: (-series[name][-1], name))
    picture = lines(
        [str(day) for day in days], {name: series[name] for name in largest[:_SHOWN_SEGMENTS]}, "members of segments"
    )
    return {"picture": picture, "members": dg.MetadataValue.json({name: series[name][-1] for name in largest})}


def _on_days(known: Mapping[dt.date, int], days: list[dt.date]) -> list[int]:
    """The members at the end of each of some days that follow each other, by what is known of days of change."""
    members = [known[day] for day in sorted(known) if day <= days[0]][-1:] or [0]
    for day in days[1:]:
        members.append(known.get(day, members[-1]))
    return members
