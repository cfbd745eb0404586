"""clean_events and quarantined_events: every event of the raw records in exactly one of the two.

Both are kept by arrival and take in raw_events each at its own pace; a crash between the two is made good by the next
time. A day that other rules made (a mended tracking plan, newer code) is made again from its raw records. A day that
raw_events, deleted and landed anew, has nothing of stays as it is: no stream may hold its records any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.date_refresh import DateRefresh, DateWork, of_hours, refresh_dates
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.events.clean import CleanRules, clean, quarantine, with_quarantined_events

CODE = "9"
"""Version of the code that cleans; raise it when the rows it gives change."""
BYTES_PER_CORE = 128 * 2**20
"""Raw bytes that are decoded at once for each core, so that memory has a bound however much arrived."""
_EVENTS_PER_RECORD = 20


def clean_step(run: Run) -> StepReport:
    """Refreshes clean_events for the days of arrival."""
    rules = run.rules.cleaning

    def rows(records: DataFrame, raw_files: Sequence[LakeFile]) -> DataFrame:
        return clean(records, rules, run.rules.decoders)

    return _take_in(run, CLEAN_EVENTS, rules, rows)


def quarantine_step(run: Run) -> StepReport:
    """Refreshes quarantined_events for the days of arrival; clean_events must be.

    Only records of which not every event came out clean are decoded again.
    """
    rules = run.rules.cleaning

    def rows(records: DataFrame, raw_files: Sequence[LakeFile]) -> DataFrame:
        cleaned = run.lake.table(CLEAN_EVENTS.name).snapshot()
        bounds = _sequence_bounds(raw_files)
        files = [file for file in cleaned.files if bounds is None or file.may_hold("sequence_number", *bounds)]
        return quarantine(with_quarantined_events(records, cleaned.read(run.spark, files)), rules, run.rules.decoders)

    return _take_in(run, QUARANTINED_EVENTS, rules, rows)


def _take_in(
    run: Run, table: Table, rules: CleanRules, rows_of: Callable[[DataFrame, Sequence[LakeFile]], DataFrame]
) -> StepReport:
    def stage(work: DateWork) -> list[LakeFile]:
        raw, staged = work.of(RAW_EVENTS), []
        new = [f for each in work.appended for f in each.files if f.partition["arrival_date"] in each.dates]
        for files in _batches([*new, *of_hours(raw.of_dates(work.rebuilt), run)], BYTES_PER_CORE * run.cores):
            rows, dates = rows_of(raw.read(run.spark, files), files), {file.partition["arrival_date"] for file in files}
            staged += work.base.table.stage(rows, len(dates), _EVENTS_PER_RECORD * sum(file.rows for file in files))
        return staged

    how = DateRefresh(table, (RAW_EVENTS,), f"{CODE}-{rules.version}", stage, keeps_lost_days=True, more=_lateness)
    return refresh_dates(run, how)


def _sequence_bounds(files: Sequence[LakeFile]) -> tuple[str, str] | None:
    if any("sequence_number" not in file.low for file in files):
        return None
    return min(f.low["sequence_number"] for f in files), max(f.high["sequence_number"] for f in files)


def _batches(files: Iterable[LakeFile], bytes_at_once: int) -> Iterator[list[LakeFile]]:
    """The files in the order of their names, a batch of so many bytes at a time; a larger file is one of its own."""
    batch: list[LakeFile] = []
    size = 0
    for file in sorted(files, key=attrgetter("path")):
        if batch and size + file.size > bytes_at_once:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _lateness(table: Snapshot, staged: Sequence[LakeFile]) -> dict[str, float]:
    """How long after they happened the new events were received, in seconds."""
    if "derived_at" not in table.table.spec.column_names or not staged:
        return {}
    times = table.arrow(staged, ("received_at", "derived_at"))
    late = pc.subtract(times["received_at"].cast(pa.int64()), times["derived_at"].cast(pa.int64()))
    p50, p95, most = pc.quantile(late, [0.5, 0.95, 1.0]).to_pylist()
    return {
        f"lateness_seconds_{name}": round(value / 1e6, 3) for name, value in (("p50", p50), ("p95", p95), ("max", most))
    }
