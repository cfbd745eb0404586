"""One refresh of the lake: what it reads and writes, by which rules, of which days. No step is here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from pyspark.sql import SparkSession

from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.spend import SpendFile
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.rules.analysis import Analyses
from event_assets.rules.anomalies import Anomalies
from event_assets.rules.company import CompanyData
from event_assets.rules.feature import Features
from event_assets.rules.model import Models
from event_assets.rules.segment_files import Segments
from event_assets.streams import WHOLE, EventStream, ShardPart
from event_assets.transforms.attribution.attribution import AttributionRules
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.enrich import EnrichRules
from event_assets.transforms.parts import cores_of
from event_assets.transforms.sessions.sessionise import SessionRules


class Rules(Protocol):
    """What decides what rows say. A step asks for those that it needs, so that a file which cannot be used stops the
    steps that follow it and no others."""

    @property
    def cleaning(self) -> CleanRules: ...
    @property
    def enriching(self) -> EnrichRules: ...
    @property
    def sessions(self) -> SessionRules: ...
    @property
    def attribution(self) -> AttributionRules: ...
    @property
    def spend(self) -> SpendFile | None: ...
    @property
    def analyses(self) -> Analyses: ...
    @property
    def segments(self) -> Segments: ...
    @property
    def features(self) -> Features: ...
    @property
    def models(self) -> Models: ...
    @property
    def anomalies(self) -> Anomalies: ...
    @property
    def company(self) -> CompanyData: ...
    @property
    def erasure(self) -> ErasureRules: ...
    @property
    def decoders(self) -> int: ...
    @property
    def cores(self) -> int | None: ...
    @property
    def max_records_per_run(self) -> int: ...
    @property
    def raw_object_bytes(self) -> int: ...


@dataclass(frozen=True)
class GivenRules:
    """Rules that are there already."""

    cleaning: CleanRules
    enriching: EnrichRules = field(default_factory=EnrichRules)
    sessions: SessionRules = field(default_factory=SessionRules)
    attribution: AttributionRules = field(default_factory=AttributionRules)
    spend: SpendFile | None = None
    decoders: int = 1
    cores: int | None = None
    max_records_per_run: int = 200_000
    analyses: Analyses = field(default_factory=Analyses)
    segments: Segments = field(default_factory=Segments)
    features: Features = field(default_factory=Features)
    models: Models = field(default_factory=Models)
    anomalies: Anomalies = field(default_factory=Anomalies)
    company: CompanyData = field(default_factory=CompanyData)
    erasure: ErasureRules = field(default_factory=ErasureRules)
    raw_object_bytes: int = 64_000_000


@dataclass(frozen=True)
class Run:
    """One refresh: of the `window`'s days, from scratch where it is a `rebuild` (then of these `hours` of arrival, all
    by default). Stream and engine are opened by the steps that need them; of the stream's shards a `part` is landed."""

    lake: Lake
    rules: Rules
    open_stream: Callable[[], AbstractContextManager[EventStream]]
    open_spark: Callable[[], SparkSession]
    window: Window = EVERYTHING
    rebuild: bool = False
    hours: Collection[int] = ()
    part: ShardPart = WHOLE

    @staticmethod
    def on(
        stream: EventStream,
        lake: Lake,
        spark: SparkSession,
        rules: Rules,
        window: Window = EVERYTHING,
        rebuild: bool = False,
    ) -> Run:
        """A refresh with what is open already; the stream stays open."""
        return Run(lake, rules, lambda: nullcontext(stream), lambda: spark, window, rebuild)

    @cached_property
    def spark(self) -> SparkSession:
        """The session of all that the run does: asking whether one is still as it was prepared costs a request."""
        return self.open_spark()

    @property
    def cores(self) -> int:
        """The cores of the engine: as the rules say, else its default parallelism."""
        return self.rules.cores or cores_of(self.spark)
