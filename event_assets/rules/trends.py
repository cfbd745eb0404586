"""Trends as their users write them: series, what is measured of them, and formulas over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from string import ascii_uppercase
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from event_assets.contract.tables.product import TRENDS
from event_assets.rules.condition import FieldName, Step
from event_assets.rules.formula import letters, parsed
from event_assets.rules.question import BrokenDown, Compared, Period, Weekday
from event_assets.rules.rule_files import Fault, RuleModel

Measure = Literal["count", "people", "per_person", "sum", "avg", "min", "max", "percentile"]


def _is_formula(text: str) -> str:
    parsed(text)
    return text


def _no_series(name: str, known: Iterable[str]) -> str:
    return f"there is no series {name}; there are {', '.join(sorted(known))}"


class Series(Step):
    """Events that are counted, or of which something is measured.

    `people`: different ones. `per_person`: events of each person who has any. The others are of a property, `of`:
    numbers alone; a percentile, from 0 to 100, is interpolated.
    """

    measure: Measure = "count"
    of: FieldName | None = None
    percentile: Annotated[float | int, Field(ge=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_of_something(self) -> Series:
        is_counted = self.measure in ("count", "people", "per_person")
        if is_counted and self.of is not None:
            raise Fault(f"{self.measure} is of events; leave it out, or say measure: sum, avg, …", "of")
        if not is_counted and self.of is None:
            raise Fault(f"{self.measure} is of a property: of: price", "of")
        if (self.measure == "percentile") != (self.percentile is not None):
            raise Fault("it is for measure: percentile, which needs it", "percentile")
        return self

    @property
    def share(self) -> float:
        """The percentile as a share."""
        return (self.percentile or 0) / 100

    @staticmethod
    def letter(place: int) -> str:
        """What a series is called in formulas, by its place from 0."""
        return ascii_uppercase[place]

    def fields(self) -> Iterator[str]:
        yield from super().fields()
        if self.of is not None:
            yield self.of


class Formula(RuleModel):
    """A number made of series, which go by letters: `A / B * 100`."""

    formula: Annotated[str, AfterValidator(_is_formula)]
    name: Annotated[str, Field(max_length=128)] = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.formula


class Trends(BrokenDown, Compared):
    """How much there is of something, period by period: events, people, sums of a property, and what is made of these.
    `compare` adds the same of as many days before."""

    kind: Literal["trends"] = "trends"
    series: Annotated[list[Series], Field(min_length=1, max_length=26)]
    formulas: Annotated[list[Formula], Field(max_length=26)] = Field(default_factory=list)
    interval: Period = "day"
    week_starts: Weekday = "sunday"

    table = TRENDS

    @model_validator(mode="after")
    def _fits(self) -> Trends:
        known = {Series.letter(place) for place in range(len(self.series))}
        for place, each in enumerate(self.formulas):
            if missing := sorted(letters(parsed(each.formula)) - known):
                raise Fault(
                    f"there is no series {missing[0]}; there are {', '.join(sorted(known))}", f"formulas[{place}]"
                )
        return self
