"""clean_events and quarantined_events: every event of the raw records in exactly one of the two.

Both are kept by arrival and take in raw_events each at its own pace; a crash between the two is made good by the next
time. A day that other rules made (a mended tracking plan, newer code) is made again from its raw records. A day that
raw_events, deleted and landed anew, has nothing of stays as it is: no stream may hold its records any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from event_assets.contract.tables import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.table import LakeTable, Snapshot, retry_on_conflict
from event_assets.steps.outstanding import Outstanding, outstanding
from event_assets.steps.report import StepReport
from event_assets.steps.run import Run
from event_assets.steps.window import Window
from event_assets.transforms.clean import CleanRules, clean, quarantine, with_quarantined_events

CODE = "4"
"""Version of the code that cleans; raise it when the rows it gives change."""
BYTES_AT_ONCE = 256 * 2**20
"""Raw bytes that are decoded at once, so that memory has a bound however much arrived."""
_EVENTS_PER_RECORD = 20


@dataclass(frozen=True)
class Cleaning:
    """What to clean: the days, by which rules, whether from scratch, and of which hours then (all by default).

    `processes` share the work of large batches.
    """

    window: Window
    rules: CleanRules
    rebuild: bool = False
    hours: Collection[int] = ()
    processes: int = 1

    @property
    def code(self) -> str:
        return f"{CODE}-{self.rules.version}"


@dataclass(frozen=True)
class _Work:
    """Raw files to take in, and the table's own files that they replace."""

    dates: list[str]
    rebuilt: list[str]
    raw: list[LakeFile]
    replaced: list[LakeFile]


def clean_step(run: Run) -> StepReport:
    """Brings clean_events up to date for the days of arrival."""
    what = _what(run)

    def rows(records: DataFrame, raw_files: Sequence[LakeFile]) -> DataFrame:
        return clean(records, what.rules, what.processes)

    return retry_on_conflict(lambda: _take_in(run, what, run.lake.table(CLEAN_EVENTS.name), rows))


def quarantine_step(run: Run) -> StepReport:
    """Brings quarantined_events up to date for the days of arrival; clean_events must be.

    Only records of which not every event came out clean are decoded again.
    """
    what = _what(run)

    def rows(records: DataFrame, raw_files: Sequence[LakeFile]) -> DataFrame:
        cleaned = run.lake.table(CLEAN_EVENTS.name).snapshot()
        bounds = _sequence_bounds(raw_files)
        files = [file for file in cleaned.files if bounds is None or file.may_hold("sequence_number", *bounds)]
        return quarantine(with_quarantined_events(records, cleaned.read(run.spark, files)), what.rules, what.processes)

    return retry_on_conflict(lambda: _take_in(run, what, run.lake.table(QUARANTINED_EVENTS.name), rows))


def _sequence_bounds(files: Sequence[LakeFile]) -> tuple[str, str] | None:
    if any("sequence_number" not in file.low for file in files):
        return None
    return min(f.low["sequence_number"] for f in files), max(f.high["sequence_number"] for f in files)


def _what(run: Run) -> Cleaning:
    return Cleaning(run.window, run.rules.cleaning, run.rebuild, run.hours, run.rules.decoders)


def _take_in(
    run: Run,
    what: Cleaning,
    table: LakeTable,
    rows_of: Callable[[DataFrame, Sequence[LakeFile]], DataFrame],
) -> StepReport:
    raw, base = run.lake.table(RAW_EVENTS.name).snapshot(), table.snapshot()
    todo = outstanding(raw, base.progress)
    work = _work(todo, raw, base, what)
    staged: list[LakeFile] = []
    for files in _batches(work.raw):
        rows, dates = rows_of(raw.read(run.spark, files), files), {file.partition["arrival_date"] for file in files}
        staged += table.stage(rows, len(dates), _EVENTS_PER_RECORD * sum(file.rows for file in files))
    if work.dates or todo.dates != todo.source.pending:
        cleaned = raw.dates() - todo.dates.keys()
        progress = base.progress.with_source(RAW_EVENTS.name, todo.after(work.dates))
        progress = progress.with_code(what.code, cleaned, () if what.hours else work.rebuilt)
        base = table.at(table.commit(base, progress, add=staged, remove=work.replaced))
    return StepReport(
        table.spec.name,
        base.version,
        base.rows,
        base.bytes,
        sum(file.rows for file in staged),
        dict.fromkeys(work.dates, 0) | _by_arrival(staged),
        tuple(work.rebuilt),
        _lateness(table, staged),
    )


def _work(todo: Outstanding, raw: Snapshot, base: Snapshot, what: Cleaning) -> _Work:
    cleaned = raw.dates() - todo.dates.keys()
    again = {d for d in what.window.among(cleaned) if what.rebuild or base.progress.is_outdated(what.code, d)}
    arrivals, rewritten = todo.appended(what.window.among(todo.dates))
    again |= set(rewritten)
    new = [f for arrival in arrivals for f in arrival.files if f.partition["arrival_date"] in arrival.dates]
    return _Work(
        sorted({file.partition["arrival_date"] for file in new} | again),
        sorted(again),
        new + _of(raw.of_dates(again), what.hours),
        _of(base.of_dates(again), what.hours),
    )


def _batches(files: Iterable[LakeFile]) -> Iterator[list[LakeFile]]:
    """The files in the order of their names, a batch at a time; a larger file is a batch of its own."""
    batch: list[LakeFile] = []
    size = 0
    for file in sorted(files, key=attrgetter("path")):
        if batch and size + file.size > BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _of(files: list[LakeFile], hours: Collection[int]) -> list[LakeFile]:
    return [file for file in files if not hours or int(file.partition["arrival_hour"]) in hours]


def _lateness(table: LakeTable, staged: Sequence[LakeFile]) -> dict[str, float]:
    """How long after they happened the new events were received, in seconds."""
    if "derived_at" not in table.spec.column_names or not staged:
        return {}
    times = table.snapshot().arrow(staged, ("received_at", "derived_at"))
    late = pc.subtract(times["received_at"].cast(pa.int64()), times["derived_at"].cast(pa.int64()))
    p50, p95, most = pc.quantile(late, [0.5, 0.95, 1.0]).to_pylist()
    return {
        f"lateness_seconds_{name}": round(value / 1e6, 3) for name, value in (("p50", p50), ("p95", p95), ("max", most))
    }


def _by_arrival(files: Sequence[LakeFile]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for file in files:
        date = file.partition["arrival_date"]
        rows[date] = rows.get(date, 0) + file.rows
    return rows
