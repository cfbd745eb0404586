"""The platform as components of Dagster, for projects of `dg`: what a `defs.yaml` says by `type` and `attributes`.

Settings are those of the environment. The folders of analyses and segments that they name are the project's, so that
every command knows what Dagster knows. Templates in attributes are not filled in: a rule says the same to all.
"""

from __future__ import annotations

from typing import Self

import dagster as dg
from pydantic import BaseModel, RootModel

from event_assets.definitions import build_defs
from event_assets.defs.assets.product import analysis_asset
from event_assets.defs.resources.rules import require_usable_rules
from event_assets.rules.analysis import Analyses, Analysis, AnyAnalysis
from event_assets.rules.rule_files import RuleError
from event_assets.rules.segment import Segment
from event_assets.rules.segment_files import Segments
from event_assets.settings import load_settings


class AnalysisAttributes(RootModel[AnyAnalysis]):
    """The fields of an analysis, as in a file of its own."""


class AnalysisComponent(dg.Component, dg.Resolvable):
    """An analysis of the product (a funnel, retention, …) with its asset. The attributes are those of its file."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @classmethod
    def model(cls) -> type[BaseModel]:
        """What attributes must be."""
        return AnalysisAttributes

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """The component of these attributes."""
        assert isinstance(model, AnalysisAttributes)
        return cls(model.root)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The analysis's asset. Raises `RuleError` where the settings' folder does not have it."""
        settings = load_settings()
        if self.analysis not in Analyses.load(settings.analytics).usable:
            raise RuleError(_missing("analysis", self.analysis.name, "ANALYTICS"))
        return dg.Definitions(assets=[analysis_asset(self.analysis, settings)])


class SegmentComponent(dg.Component, dg.Resolvable):
    """A segment. The attributes are those of its file. It has no asset of its own: all segments are rows of
    `segment_memberships`."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    @classmethod
    def model(cls) -> type[BaseModel]:
        """What attributes must be."""
        return Segment

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """The component of these attributes."""
        assert isinstance(model, Segment)
        return cls(model)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Nothing. Raises `RuleError` where the settings' folder does not have it."""
        if self.segment not in Segments.load(load_settings().segments).usable:
            raise RuleError(_missing("segment", self.segment.name, "SEGMENTS"))
        return dg.Definitions()


class PlatformComponent(dg.Component):
    """Everything else: all tables, checks, sensors, jobs and resources, by the settings of the environment."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """All but the assets of the project's analyses, which their components bring."""
        settings = load_settings()
        require_usable_rules(settings)
        analyses = context.component_tree.get_all_components(AnalysisComponent)
        return build_defs(settings, {component.analysis.name for component in analyses})


def _missing(title: str, name: str, variable: str) -> str:
    return (
        f"{title} {name}: it is none of those that can be used of the folder that EVENT_ASSETS_{variable}_DIR names; "
        "name the folder with this project's defs.yaml files, and see `event-assets doctor`"
    )
