"""From stream records to clean events, and to the ones that break a rule.

A record is unpacked and each of its lines decoded by the contract's decoder, the same that gives the ingest API's
verdicts. Both transforms read the same records; each line ends in exactly one of the two.

Nothing of Spark is imported here: each decoding process would pay for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from event_assets.contract.consent import Refusal
from event_assets.contract.decoder import Limits
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.enrichment.pseudonyms import Pseudonyms, pseudonymised
from event_assets.transforms.events.asked import with_asked
from event_assets.transforms.events.device_ids import without_device_ids
from event_assets.transforms.events.event_columns import record_batch
from event_assets.transforms.events.processes import BatchFunction, over_processes
from event_assets.transforms.events.reading import RECORD_COLUMNS, decoders_of, of_records, read_blocks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class CleanRules:
    """By what an event is clean: tracking plan, first day that partitions exist for, what refused consent means,
    limits, which fields are replaced by pseudonyms, and which words are no ids."""

    plan: TrackingPlan
    first_day: dt.date
    refusal: Refusal = "strip"
    limits: Limits = field(default_factory=Limits)
    pseudonyms: Pseudonyms | None = None
    placeholders: tuple[str, ...] | None = None

    @cached_property
    def version(self) -> str:
        """Changes with the rules; a day that other rules made is made again."""
        pseudonyms = f"-{self.pseudonyms.version}-sealed" if self.pseudonyms else ""
        words = "" if self.placeholders is None else f"-{sorted(Placeholders(self.placeholders).words)}"
        return f"{self.plan.digest}-{self.first_day}-{self.refusal}{pseudonyms}{words}"


def clean(records: DataFrame, rules: CleanRules, processes: int = 1) -> DataFrame:
    """The events of raw records that keep the rules. Takes RAW_EVENTS, gives CLEAN_EVENTS.

    `processes`: how many share the work of a large batch, on an engine that runs Python in one process only.
    """
    return _decoded(records, CLEAN_EVENTS.spark_schema(), partial(_clean_batches, rules), processes)


def quarantine(records: DataFrame, rules: CleanRules, processes: int = 1) -> DataFrame:
    """What breaks the rules: the bytes, with pseudonyms where rows have them, and the reason. Takes RAW_EVENTS, gives
    QUARANTINED_EVENTS."""
    return _decoded(records, QUARANTINED_EVENTS.spark_schema(), partial(_quarantined_batches, rules), processes)


def with_quarantined_events(records: DataFrame, cleaned: DataFrame) -> DataFrame:
    """The records of which fewer events came out clean than they hold, so that only these are decoded again."""
    position = ["stream", "shard_id", "sequence_number"]
    counts = cleaned.groupBy(*position).count().withColumnRenamed("count", "clean_events")
    short = records.join(counts, position, "left").where("coalesce(clean_events, 0) < events")
    return short.select(*RAW_EVENTS.column_names)


def _decoded(records: DataFrame, schema: str, function: BatchFunction, processes: int) -> DataFrame:
    def decode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from over_processes(function, batches, processes)

    return records.select(*RECORD_COLUMNS, "data").mapInArrow(decode, schema)


def _clean_batches(rules: CleanRules, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for block in read_blocks(batch, rules, decoders_of(rules)):
        rows = block.clean()
        if rows.num_rows:
            rows = with_asked(without_device_ids(rows))
            yield pseudonymised(rows, rules.pseudonyms) if rules.pseudonyms else rows


def _quarantined_batches(rules: CleanRules, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    decoders = decoders_of(rules)
    rows = [row for block in read_blocks(batch, rules, decoders) for row in block.quarantined]
    if not rows:
        return
    columns: dict[str, Any] = of_records(batch, pa.array([row.record for row in rows], pa.int32()))
    columns["line"] = [row.line for row in rows]
    columns["reason"] = [row.rejection.reason for row in rows]
    columns["detail"] = [row.rejection.detail for row in rows]
    columns["event_id"] = [row.rejection.event_id for row in rows]
    columns["event"] = [row.rejection.event for row in rows]
    columns["data"] = [decoders.sealing.kept(row.data) if decoders.sealing else row.data for row in rows]
    yield record_batch(columns, QUARANTINED_EVENTS.arrow_schema())
