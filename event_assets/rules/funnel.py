"""Funnels as their users write them: steps, what may lie between them, and what is told of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from event_assets.contract.tables.product import FUNNEL_TRENDS, FUNNELS, TIMES_TO_CONVERT
from event_assets.rules.condition import AnyStep, Step
from event_assets.rules.duration import Duration, duration
from event_assets.rules.question import BrokenDown, Period, Ranged, Weekday
from event_assets.rules.rule_files import Fault

Place = Annotated[int, Field(ge=1, le=20)]
Touch = Annotated[
    Annotated[Place, Tag("step")] | Annotated[Literal["first_touch", "last_touch"], Tag("touch")],
    Discriminator(lambda given: "touch" if isinstance(given, str) else "step"),
]


class Exclusion(Step):
    """Events that must not lie between two steps, by their places from 1: after the first and before the last, where
    nothing is said. https://posthog.com/docs/product-analytics/funnels#excluding-events"""

    after: Place = 1
    before: Place | None = None


class Walk(Ranged):
    """What every funnel has: steps, in which order, how long they may take, what may not lie between them."""

    steps: Annotated[list[AnyStep], Field(min_length=2, max_length=20)]
    window: Duration = "14 days"
    order: Literal["ordered", "strict", "unordered"] = "ordered"
    exclusions: Annotated[list[Exclusion], Field(max_length=10)] = Field(default_factory=list)

    later = Ranged.later | {"exclusions"}

    @model_validator(mode="after")
    def _walks(self) -> Walk:
        if self.exclusions and self.order != "ordered":
            raise Fault(f"{self.order} steps have none; leave it out, or order", "exclusions")
        for place, each in enumerate(self.exclusions):
            if not each.after < (each.before or len(self.steps)) <= len(self.steps):
                raise Fault(
                    f"after and before are two of the {len(self.steps)} steps, in order", f"exclusions[{place}]"
                )
        alike = [(step.event, repr(step.where), repr(step.any)) for step in self.steps]
        if self.order == "unordered" and len(set(alike)) < len(alike):
            raise Fault("of unordered steps no two may be of the same events", "steps")
        return self

    @property
    def within(self) -> dt.timedelta:
        """The longest time from the first step to the last."""
        found = duration(self.window)
        assert found is not None, self.window
        return found


class Funnel(BrokenDown, Walk):
    """How many people go from step to step, and how long they take.

    A breakdown is by the value that an event of the try has: of the step that `breakdown_of` names, or the first or
    the last one that is set. https://posthog.com/docs/product-analytics/funnels#attribution-types
    """

    kind: Literal["funnel"] = "funnel"
    breakdown_of: Touch = 1

    table = FUNNELS
    later = Walk.later | {"breakdown_of"}

    @model_validator(mode="after")
    def _fits(self) -> Funnel:
        if isinstance(self.breakdown_of, int) and self.breakdown_of > len(self.steps):
            raise Fault(f"there are {len(self.steps)} steps", "breakdown_of")
        return self


class FunnelTrend(Walk):
    """Of those who begin a funnel in a period, how many come to its end: period by period."""

    kind: Literal["funnel_trend"] = "funnel_trend"
    interval: Period = "day"
    week_starts: Weekday = "sunday"

    table = FUNNEL_TRENDS


class TimeToConvert(Walk):
    """How long people take from one step of a funnel to another, the last where none is said, as a histogram."""

    kind: Literal["time_to_convert"] = "time_to_convert"
    from_step: Place = 1
    to_step: Place | None = None
    bins: Annotated[int, Field(ge=1, le=90)] | None = None

    table = TIMES_TO_CONVERT

    @model_validator(mode="after")
    def _goes_on(self) -> TimeToConvert:
        if not self.from_step < self.last_step <= len(self.steps):
            raise Fault(f"it is one of the {len(self.steps)} steps, and after from_step", "to_step")
        return self

    @property
    def last_step(self) -> int:
        """The step to which the time is taken."""
        return self.to_step or len(self.steps)


def exclusions_of(walk: Walk) -> Iterator[tuple[Exclusion, int, int]]:
    """The exclusions, with the places of the steps that they lie between, from 0."""
    for each in walk.exclusions:
        yield each, each.after - 1, (each.before or len(walk.steps)) - 1
