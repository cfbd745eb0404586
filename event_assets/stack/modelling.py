"""One file of events from a trusted source through every step of the lake, and each table out as Parquet.

It is the platform's own way in small: the importing room, an embedded stream, a lake, the steps, all in a private
folder that is gone afterwards. No rule of the data is here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pyspark.sql import SparkSession

from event_assets.contract.decoder import BARE_LIMITS
from event_assets.contract.plan import PlanError
from event_assets.contract.readings import plainly_read
from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.spark import spark_resource
from event_assets.importing import (
    ImportFile,
    ImportResult,
    ImportStopped,
    MappingError,
    Rules,
    StreamSink,
    Translator,
    UnreadableFile,
    Written,
    find_mapping,
    import_file,
)
from event_assets.lake.export import export
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.registry import STEPS
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.spend import SpendError
from event_assets.rules.analysis import Analyses
from event_assets.rules.anomalies import Anomalies
from event_assets.rules.feature import Features
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings, SettingsError, load_settings, read_settings
from event_assets.streams import EventStream, open_stream

STDIN = Path("-")
Rulebook = TypeVar("Rulebook", Analyses, Segments)
_ALL = 2**31


class ModelInputError(ValueError):
    """What was given cannot be modelled. The message says what and why."""


@dataclass(frozen=True)
class Reconciliation:
    """How many events are where, over the whole file."""

    lines: int
    landed: int
    clean: int
    quarantined: int
    enriched: int
    duplicates: int
    conflicts: int
    reasons: Mapping[str, int]
    hours_balance: bool

    @property
    def balance(self) -> bool:
        """Whether every line is accounted for, once."""
        return (
            self.hours_balance
            and self.lines == self.landed
            and self.landed == self.clean + self.quarantined
            and self.clean == self.enriched + self.duplicates
        )

    @property
    def is_refused(self) -> bool:
        """Whether every line broke a rule: hardly a file of events, or the mapping is another file's."""
        wanted_away = self.reasons.get("consent_refused", 0)
        return self.quarantined - wanted_away == self.lines > 0


@dataclass(frozen=True)
class Modelled:
    """What was made: rows of each table, the reconciliation, and how long each part took, in seconds."""

    out: Path
    rows: Mapping[str, int]
    reconciliation: Reconciliation
    seconds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        reconciliation = {**dataclasses.asdict(self.reconciliation), "balance": self.reconciliation.balance}
        return {
            "out": str(self.out),
            "rows": dict(self.rows),
            "reconciliation": reconciliation,
            "seconds": dict(self.seconds),
        }


def model_settings(file: Path | None, home: Path) -> Settings:
    """The settings of a run in the folder `home`: the file's before the environment's. Raises `SettingsError`.

    Endpoints are always the run's own. Where none is set, there is no tracking plan.
    """
    given = read_settings(file) if file is not None else {}
    plan = home / "plan"
    plan.mkdir(parents=True, exist_ok=True)
    own: dict[str, Any] = {
        "profile": "local",
        "home": home,
        "stream_kind": "embedded",
        "lake_url": None,
        "s3_endpoint_url": None,
        "spark_remote": None,
    }
    settings = load_settings(**{**given, **own})
    return settings if "plan_dir" in settings.model_fields_set else settings.model_copy(update={"plan_dir": plan})


def model_file(
    events: Path,
    out: Path,
    settings_file: Path | None = None,
    mapping: str | Path | Translator | None = None,
    *,
    spark: SparkSession | None = None,
    watch: Callable[[str], None] = lambda table: None,
) -> Modelled:
    """Models a file of events (`-`: standard input) and writes `out/<table>/<table>.parquet`.

    `mapping`: a YAML file that maps the fields, or a shipped one's name; or what translates other SDKs' events.
    `spark`: an embedded engine that is there already. Raises `ModelInputError`, `SettingsError`.
    """
    fields = _rules_of(events, mapping)
    with tempfile.TemporaryDirectory(prefix="event-assets-model-") as folder:
        settings = model_settings(settings_file, Path(folder))
        seconds = _Stopwatch()
        with _stream(settings) as stream:
            watch("import")
            imported = _import(_as_file(events, Path(folder)), fields, settings, stream)
            _check_found(imported)
            seconds.note("import")
            run = _run(settings, stream, spark)
            for step in STEPS:
                watch(step.name)
                step.run(run)
                seconds.note(step.name)
        watch("parquet")
        snapshots = {table.name: run.lake.table(table.name).snapshot() for table in LAKE_TABLES}
        rows = {name: export(snapshot, out / name) for name, snapshot in snapshots.items()}
        seconds.note("parquet")
        return Modelled(
            out, rows, _reconciliation(imported, snapshots[EVENT_LEDGER.name].arrow().to_pylist()), seconds.parts
        )


def _rules_of(events: Path, name: str | Path | Translator | None) -> Rules:
    """The mapping of that name, once it is known that there are events to map."""
    try:
        if events != STDIN:
            ImportFile.of(events)
        return find_mapping(name) if isinstance(name, str | Path) else name
    except (UnreadableFile, MappingError) as error:
        raise ModelInputError(str(error)) from None


def _as_file(events: Path, folder: Path) -> Path:
    """The file itself; what stands on standard input as a file."""
    if events != STDIN:
        return events
    copy = folder / "stdin"
    with copy.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return copy


@contextmanager
def _stream(settings: Settings) -> Iterator[EventStream]:
    """A stream of one shard, so that its order is the file's."""
    stream = open_stream(settings)
    try:
        stream.create(1)
        yield stream
    finally:
        stream.close()


def _import(events: Path, mapping: Rules, settings: Settings, stream: EventStream) -> ImportResult:
    try:
        protocol = mapping.protocol if isinstance(mapping, Translator) else None
        sink = StreamSink(settings, stream, limits=BARE_LIMITS, in_order=True, protocol=protocol)
        return import_file(events, mapping, _ReceivedSink(sink, dt.datetime.now(dt.UTC)))
    except PlanError as error:
        raise SettingsError(str(error)) from None
    except (ImportStopped, UnreadableFile) as error:
        raise ModelInputError(str(error.__cause__ or error)) from None


def _check_found(imported: ImportResult) -> None:
    """A path that no line has is a slip of the pen; the tables would be without what it names."""
    if imported.never_found:
        missing = ", ".join(imported.never_found)
        raise ModelInputError(
            f"the mapping names {missing}, which none of the {imported.lines:,} lines of {imported.place} has; mend "
            r"the path (a dot in a name is \.), or write optional: true where it need not be there"
        )


def _run(settings: Settings, stream: EventStream, spark: SparkSession | None) -> Run:
    rules = _rules(settings)
    return Run.on(stream, Lake(Storage(settings.lake)), spark or spark_resource(settings).spark_session, rules)


def _rules(settings: Settings) -> GivenRules:
    """The rules by these settings. Raises `SettingsError`, also where a file that one names cannot be used."""
    rules = RulesResource.of(settings, settings.pii_key.get_secret_value() if settings.pii_key else "", privacy_key="")
    try:
        if rules.spend is not None:
            rules.spend.read()
        return GivenRules(
            dataclasses.replace(rules.cleaning, limits=BARE_LIMITS),
            rules.enriching,
            rules.sessions,
            rules.attribution,
            rules.spend,
            rules.decoders,
            rules.cores,
            _ALL,
            _analyses(settings),
            _segments(settings),
            Features.of_models(settings.models_dir) if settings.models_dir else Features(),
            anomalies=rules.anomalies if settings.anomalies_file else Anomalies(),
        )
    except (ValueError, OSError, SpendError) as error:
        raise SettingsError(str(error)) from None


def _analyses(settings: Settings) -> Analyses:
    """The analyses that a setting names; there are none otherwise."""
    return _without_faults(Analyses.load(settings.analytics_dir)) if settings.analytics_dir else Analyses()


def _segments(settings: Settings) -> Segments:
    """The segments that a setting names; there are none otherwise."""
    return _without_faults(Segments.load(settings.segments_dir)) if settings.segments_dir else Segments()


def _without_faults(found: Rulebook) -> Rulebook:
    if found.faults:
        raise SettingsError("\n".join(found.faults.values()))
    return found


def _reconciliation(imported: ImportResult, hours: Sequence[Mapping[str, Any]]) -> Reconciliation:
    names = ("landed", "clean", "quarantined", "enriched", "duplicates", "conflicts")
    reasons: Counter[str] = Counter()
    for hour in hours:
        reasons.update(json.loads(hour["quarantined_by_reason"] or "{}"))
    return Reconciliation(
        imported.lines if imported.is_line_by_line else imported.events,
        **{name: sum(hour[name] for hour in hours) for name in names},
        reasons=dict(reasons.most_common()),
        hours_balance=all(hour["balanced"] and not hour["pending"] for hour in hours),
    )


class _Times(msgspec.Struct, gc=False):
    """The times of an event, as far as they are there."""

    received_at: dt.datetime | None = None
    sent_at: dt.datetime | None = None
    occurred_at: dt.datetime | None = None
    derived_at: dt.datetime | None = None


_times = msgspec.json.Decoder(_Times).decode


def _times_of(line: bytes) -> _Times:
    try:
        return _times(line)
    except msgspec.ValidationError:
        plain = plainly_read(line, _Times.__struct_fields__)
        if plain is None:
            raise
        return _times(plain)


def with_receipt(line: bytes, now: dt.datetime) -> bytes:
    """The event with a `received_at`, so that a file always gives the same rows.

    Where it has none: `sent_at`, else `occurred_at`; or `derived_at`, where that is later. An event without any time is
    received `now`. A line that is no event stays as it is.
    """
    try:
        times = _times_of(line)
        if times.received_at is not None:
            return line
        known = [at for at in (times.sent_at or times.occurred_at, times.derived_at) if at is not None]
        received = max(known, default=now)
    except (ValueError, TypeError, RecursionError):
        return line
    return line[: line.rindex(b"}")] + b',"received_at":' + msgspec.json.encode(received) + b"}"


class _ReceivedSink:
    """Gives the events of a file their time of receipt, and passes them on."""

    def __init__(self, sink: StreamSink, now: dt.datetime) -> None:
        self._sink = sink
        self._now = now

    def write(self, lines: Sequence[bytes]) -> Written:
        """See `Sink.write`."""
        return self._sink.write([with_receipt(line, self._now) for line in lines])


class _Stopwatch:
    """How long each part took, in seconds."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._last = time.perf_counter()

    def note(self, part: str) -> None:
        """The part that ends now took since the one before it."""
        now = time.perf_counter()
        self.parts[part] = round(now - self._last, 2)
        self._last = now
