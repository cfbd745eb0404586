"""What is watched for what is unusual, as its users write it: metrics, dimensions, how many false alerts are borne,
events that are known, and what was said of earlier incidents.

How the unusual is found is in models/.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, model_validator

from event_assets.rules.condition import RuleName as Name
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest

Texts = Annotated[tuple[str, ...], Field(min_length=1)]
Dimension = Literal["app_id", "platform", "country", "channel_group", "device_type", "event"]
Of = Literal[
    "daily_sessions",
    "daily_events",
    "hourly_events",
    "event_ledger",
    "hourly_landing",
    "minute_events",
    "minute_landing",
]
"""Tables, but that `hourly_landing` and `minute_landing` are the hours and the minutes of landing_lag."""
Period = Literal["day", "hour", "minute"]

PERIODS: dict[Of, Period] = {
    "daily_sessions": "day",
    "daily_events": "day",
    "hourly_events": "hour",
    "event_ledger": "hour",
    "hourly_landing": "hour",
    "minute_events": "minute",
    "minute_landing": "minute",
}
"""What a row of a table is of."""
PERIODS_A_DAY: dict[Period, int] = {"day": 1, "hour": 24, "minute": 1440}
TIMES: dict[Of, str] = {
    "daily_sessions": "site_date",
    "daily_events": "site_date",
    "hourly_events": "hour",
    "event_ledger": "timestamp_seconds(unix_timestamp(CAST(arrival_date AS timestamp)) + 3600 * arrival_hour)",
    "hourly_landing": "date_trunc('hour', minute)",
    "minute_events": "minute",
    "minute_landing": "minute",
}
"""What of a row says when, in SQL."""

MEASURES: dict[Of, tuple[str, ...]] = {
    "daily_sessions": (
        *("sessions", "engaged_sessions", "bounces", "converting_sessions", "events", "page_views"),
        *("engaged_seconds", "conversions", "revenue"),
    ),
    "daily_events": ("events", "conversions", "revenue"),
    "hourly_events": (
        *("events", "conversions", "revenue"),
        *("fresh", "delayed", "lagged", "timed", "slow"),
    ),
    "event_ledger": ("landed", "clean", "quarantined", "duplicates", "conflicts"),
    "hourly_landing": ("events", "waited"),
    "minute_events": (
        *("landed", "quarantined", "events", "errors", "conversions"),
        *("delayed", "lagged", "timed", "slow"),
    ),
    "minute_landing": ("events", "waited"),
}
"""What can be summed, by table."""
DIMENSIONS: dict[Of, tuple[Dimension, ...]] = {
    "daily_sessions": ("app_id", "platform", "country", "channel_group", "device_type"),
    "daily_events": ("event", "app_id", "platform", "country", "device_type"),
    "hourly_events": ("event", "app_id", "platform", "country"),
    "event_ledger": (),
    "hourly_landing": (),
    "minute_events": ("app_id", "platform", "event"),
    "minute_landing": (),
}
"""What they can be told by."""
NOT_COUNTED = ("revenue", "engaged_seconds")
"""Measures that are no counts of things that happen one by one."""


class _Model(RuleModel):
    model_config = ConfigDict(strict=False)


class Metric(_Model):
    """A number of each day, or hour: the sum of a column of a table, over the rows in which columns have these values.

    With `of` it is a rate, of the sum of another column (over the rows of `of_where`). `by` are the dimensions that it
    is watched by; all that the file names where it says none.
    """

    table: Of
    sum: str
    where: dict[Dimension, Texts] = Field(default_factory=dict)
    of: str | None = None
    of_where: dict[Dimension, Texts] = Field(default_factory=dict)
    by: tuple[Dimension, ...] | None = None

    @model_validator(mode="after")
    def _of_the_table(self) -> Metric:
        for name, column in (("sum", self.sum), ("of", self.of)):
            if column is not None and column not in MEASURES[self.table]:
                near = nearest(column, MEASURES[self.table])
                raise Fault(
                    f"{self.table} has no sum of {column!r}{near}; it has {', '.join(MEASURES[self.table])}", name
                )
        for name, given in (("where", self.where), ("of_where", self.of_where), ("by", self.by or ())):
            for dimension in given:
                if dimension not in DIMENSIONS[self.table]:
                    raise Fault(
                        f"{self.table} is not told by {dimension}; it is by {', '.join(DIMENSIONS[self.table])}", name
                    )
        if self.of_where and self.of is None:
            raise Fault("it needs of: the column that is summed over these rows", "of_where")
        if self.table == "minute_events" and (self.where or self.of_where):
            raise Fault("minute_events is counted by one dimension at a time; watch the metric by it", "where")
        return self

    @property
    def kind(self) -> Literal["count", "rate", "value"]:
        """What kind of number it is."""
        if self.of is not None:
            return "rate"
        return "value" if self.sum in NOT_COUNTED else "count"

    @property
    def measure(self) -> tuple[object, ...]:
        """What it is a number of, by whatever periods: errors by `event: [app_error]` are the `errors` of minutes, and
        the `events` of minutes those that are `fresh`."""
        of = "events" if self.of == "fresh" else self.of
        rows = tuple(sorted((name, tuple(sorted(values))) for name, values in self.where.items()))
        of_rows = tuple(sorted((name, tuple(sorted(values))) for name, values in self.of_where.items()))
        if (self.sum, rows) == ("events", (("event", ("app_error",)),)):
            return ("errors", (), of, of_rows)
        return (self.sum, rows, of, of_rows)


class KnownEvent(_Model):
    """Days that are unusual for a reason that is known, such as a holiday or a deploy; of these metrics, all by
    default."""

    name: Annotated[str, Field(min_length=1)]
    first: Annotated[dt.date, Field(alias="from")]
    last: Annotated[dt.date, Field(alias="to")]
    metrics: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> KnownEvent:
        if self.first > self.last:
            raise Fault(f"it ends on {self.last}, before it begins on {self.first}", "to")
        return self


class Mute(_Model):
    """Series of which nobody is told: those of the metric, the dimension and the value that it names, until a day if it
    says one. They are watched all the same."""

    metric: Name | None = None
    dimension: Dimension | None = None
    value: str | None = None
    until: dt.date | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Mute:
        if self.metric is None and self.dimension is None:
            raise ValueError("it must name a metric, a dimension or both; without, all would be muted")
        if self.value is not None and self.dimension is None:
            raise Fault("it needs the dimension that it is a value of", "value")
        return self

    def holds(self, metric: str, dimension: str, value: str, day: dt.date) -> bool:
        """Whether a series is muted on that day."""
        pairs = ((self.metric, metric), (self.dimension, dimension), (self.value, value))
        return all(said in (None, is_) for said, is_ in pairs) and (self.until is None or day <= self.until)


_WHEN: dict[Period, str] = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H", "minute": "%Y-%m-%dT%H:%M"}


def incident_id(period: Period, begins: dt.datetime, metric: str, dimension: str, value: str) -> str:
    """The name of the incident that begins with that series at that time: `2026-11-27/conversion/platform/ios`, of an
    hour `2026-11-27T14/…`, of a minute `2026-11-27T14:07/…`."""
    return f"{begins:{_WHEN[period]}}/{metric}/{dimension}/{value}"


def _named(incident: str) -> str:
    begins, _, rest = incident.partition("/")
    try:
        dt.datetime.fromisoformat(begins)
    except ValueError:
        rest = ""
    if rest.count("/") < 2:
        raise ValueError("it is no incident's id, as metric_incidents has it: 2026-11-27/conversion/platform/ios")
    return incident


class Feedback(_Model):
    """What somebody found out of an incident: something had happened, or not. After a false one more proof is asked of
    its series, after a true one less."""

    incident: Annotated[str, AfterValidator(_named)]
    was: Annotated[bool, Field(description="true: something had happened.")]
    note: str = ""

    @property
    def begins(self) -> dt.datetime:
        """When it began."""
        return dt.datetime.fromisoformat(self.incident.partition("/")[0]).replace(tzinfo=dt.UTC)

    @property
    def series(self) -> tuple[str, str, str]:
        """Metric, dimension and value of what it began with."""
        metric, dimension, value = self.incident.split("/", 3)[1:]
        return metric, dimension, value


class Anomalies(_Model):
    """What the file says.

    `budget`: the share of usual days on which anything at all may be told, over everything that is watched. `values`:
    of each dimension the largest so many are watched; `least`: and of these, those with so
    many on their busiest day.
    """

    budget: Annotated[float, Field(gt=0, le=0.5)] = 0.03
    history_days: Annotated[int, Field(ge=14, le=366)] = 28
    metrics: dict[Name, Metric] = Field(default_factory=dict)
    dimensions: tuple[Dimension, ...] = ()
    values: Annotated[int, Field(ge=1, le=100)] = 20
    least: Annotated[float, Field(ge=0)] = 5.0
    robots: bool = False
    known_events: tuple[KnownEvent, ...] = ()
    mutes: tuple[Mute, ...] = ()
    feedback: tuple[Feedback, ...] = ()

    @property
    def name(self) -> str:
        return "anomalies"

    @model_validator(mode="after")
    def _known_metrics(self) -> Anomalies:
        said = [("known_events", each.metrics) for each in self.known_events]
        said += [("mutes", (each.metric,) if each.metric else ()) for each in self.mutes]
        for field, names in said:
            for name in names:
                if name not in self.metrics:
                    raise Fault(f"there is no metric {name!r}{nearest(name, self.metrics)}", field)
        if len({each.incident for each in self.feedback}) < len(self.feedback):
            raise Fault("an incident is named twice; say once what it was", "feedback")
        return self

    def dimensions_of(self, metric: Metric) -> tuple[Dimension, ...]:
        """What a metric is watched by."""
        named = self.dimensions if metric.by is None else metric.by
        return tuple(each for each in named if each in DIMENSIONS[metric.table])

    def budget_of(self, period: Period) -> float:
        """The share of usual days, hours or minutes on which anything may be told."""
        return self.budget / PERIODS_A_DAY[period]

    def metrics_of(self, *periods: Period) -> dict[Name, Metric]:
        """The metrics that are watched by these periods."""
        return {name: metric for name, metric in self.metrics.items() if PERIODS[metric.table] in periods}

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is found may change: not with mutes and notes."""
        said = self.model_dump(mode="json", exclude={"mutes": True, "feedback": {"__all__": {"note"}}})
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:12]

    @property
    def digest_of_incidents(self) -> str:
        """Changes when, and only when, what is said of incidents may change."""
        said = self.model_dump(mode="json", include={"mutes": True, "feedback": True})
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:12]


ANOMALIES_FILE = RuleFile(
    "anomalies", TypeAdapter(Anomalies), "metrics, as in sessions: {table: daily_sessions, sum: sessions}"
)


def read_anomalies(path: Path) -> Anomalies:
    """What a file says. Raises `RuleError`, with a line for each fault."""
    return ANOMALIES_FILE.read(path)
