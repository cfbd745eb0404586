"""Every step of the lake, once, in the order of the data.

Whoever brings all tables up to date without Dagster (the `model` command, the tests) goes through this list, so that a
new table is one line here. What a step does is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pyspark.sql import SparkSession

from event_assets.contract.analysis import Analyses
from event_assets.contract.segment_files import Segments
from event_assets.contract.tables import (
    ANALYSIS_TABLES,
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CLEAN_EVENTS,
    CONVERSION_PATHS,
    CONVERSIONS,
    DAILY_METRICS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_DAYS,
    EVENT_IDS,
    EVENT_LEDGER,
    IDENTITIES,
    PAGE_VIEWS,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
    SEGMENT_MEMBERSHIPS,
    SESSION_ISSUES,
    SESSIONS,
    TOUCHES,
    USER_SEGMENTS,
    USER_TRAITS,
    USERS,
    VISITORS,
    Table,
)
from event_assets.lake.lake import Lake
from event_assets.steps.analysing import analyses_step
from event_assets.steps.attributing import (
    attribution_step,
    channel_performance_step,
    conversion_paths_step,
    conversions_step,
    touches_step,
)
from event_assets.steps.bookkeeping import ledger_step
from event_assets.steps.cleaning import Cleaning, clean_step, quarantine_step
from event_assets.steps.enriching import Enriching, enrich_step
from event_assets.steps.landing import land
from event_assets.steps.measuring import Measuring, metrics_step
from event_assets.steps.people import identities_step, segments_step, user_traits_step, users_step, visitors_step
from event_assets.steps.report import StepReport
from event_assets.steps.segmenting import Segmenting, memberships_step
from event_assets.steps.sessionising import Sessionising, sessions_step
from event_assets.steps.spend import SpendFile
from event_assets.steps.window import EVERYTHING, Window
from event_assets.streams import EventStream
from event_assets.transforms.attribution import AttributionRules
from event_assets.transforms.clean import CleanRules
from event_assets.transforms.enrich import EnrichRules
from event_assets.transforms.sessionise import SessionRules


@dataclass(frozen=True)
class Rules:
    """What decides what rows say."""

    cleaning: CleanRules
    enriching: EnrichRules = field(default_factory=EnrichRules)
    sessions: SessionRules = field(default_factory=SessionRules)
    attribution: AttributionRules = field(default_factory=AttributionRules)
    spend: SpendFile | None = None
    decoders: int = 1
    records_per_shard: int = 200_000
    analyses: Analyses = field(default_factory=Analyses)
    segments: Segments = field(default_factory=Segments)


@dataclass(frozen=True)
class Run:
    """One bringing up to date: from which stream, into which lake, by which rules, of which days, whether from
    scratch."""

    stream: EventStream
    lake: Lake
    spark: SparkSession
    rules: Rules
    window: Window = EVERYTHING
    rebuild: bool = False

    @property
    def cleaning(self) -> Cleaning:
        return Cleaning(self.window, self.rules.cleaning, self.rebuild, processes=self.rules.decoders)

    @property
    def enriching(self) -> Enriching:
        return Enriching(self.window, self.rules.enriching, self.rebuild)

    @property
    def sessionising(self) -> Sessionising:
        return Sessionising(self.window, self.rules.sessions, self.rebuild)

    @property
    def measuring(self) -> Measuring:
        return Measuring(self.window, self.rules.sessions, self.rebuild)

    @property
    def segmenting(self) -> Segmenting:
        return Segmenting(self.rules.segments, self.rules.sessions, self.rebuild)


class Step(NamedTuple):
    """What makes some tables of the lake out of the ones before it. `bring` gives one report or several."""

    tables: tuple[Table, ...]
    bring: Callable[[Run], StepReport | tuple[StepReport, ...]]


STEPS: tuple[Step, ...] = (
    Step((RAW_EVENTS,), lambda run: land(run.stream, run.lake, run.rules.records_per_shard)),
    Step((CLEAN_EVENTS,), lambda run: clean_step(run.lake, run.spark, run.cleaning)),
    Step((QUARANTINED_EVENTS,), lambda run: quarantine_step(run.lake, run.spark, run.cleaning)),
    Step((EVENT_IDS, DUPLICATE_EVENTS, ENRICHED_EVENTS), lambda run: enrich_step(run.lake, run.spark, run.enriching)),
    Step((IDENTITIES,), lambda run: identities_step(run.lake, run.spark, rebuild=run.rebuild)),
    Step(
        (EVENT_DAYS, PAGE_VIEWS, SESSIONS, SESSION_ISSUES),
        lambda run: sessions_step(run.lake, run.spark, run.sessionising),
    ),
    Step((VISITORS,), lambda run: visitors_step(run.lake, run.spark, rebuild=run.rebuild)),
    Step((USER_TRAITS,), lambda run: user_traits_step(run.lake, run.spark, rebuild=run.rebuild)),
    Step((USERS,), lambda run: users_step(run.lake, run.spark, run.rules.sessions, rebuild=run.rebuild)),
    Step((USER_SEGMENTS,), lambda run: segments_step(run.lake, run.spark, rebuild=run.rebuild)),
    Step((TOUCHES,), lambda run: touches_step(run.lake, run.spark, run.rules.attribution, rebuild=run.rebuild)),
    Step((CONVERSIONS,), lambda run: conversions_step(run.lake, run.spark, run.rules.sessions, rebuild=run.rebuild)),
    Step(
        (CONVERSION_PATHS,),
        lambda run: conversion_paths_step(run.lake, run.spark, run.rules.attribution, rebuild=run.rebuild),
    ),
    Step((ATTRIBUTION,), lambda run: attribution_step(run.lake, run.spark, run.rules.attribution, rebuild=run.rebuild)),
    Step(
        (CHANNEL_PERFORMANCE,),
        lambda run: channel_performance_step(
            run.lake, run.spark, run.rules.attribution, run.rules.spend, rebuild=run.rebuild
        ),
    ),
    Step((DAILY_METRICS,), lambda run: metrics_step(run.lake, run.spark, run.measuring)),
    Step((EVENT_LEDGER,), lambda run: ledger_step(run.lake, run.spark, run.window)),
    Step((SEGMENT_MEMBERSHIPS,), lambda run: memberships_step(run.lake, run.spark, run.segmenting)),
    Step(
        ANALYSIS_TABLES,
        lambda run: analyses_step(run.lake, run.spark, run.rules.analyses, run.rules.sessions, rebuild=run.rebuild),
    ),
)
"""The steps, each after all that it reads."""


def bring_up_to_date(run: Run, steps: Iterable[Step] = STEPS) -> list[StepReport]:
    """Every step once, in the order of the data. Gives their reports."""
    reports: list[StepReport] = []
    for step in steps:
        made = step.bring(run)
        reports += [made] if isinstance(made, StepReport) else made
    return reports
