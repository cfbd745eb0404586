"""What of the metrics is unusual."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_PERIOD = required("period", "string", "day, hour or minute.")
_METRIC = required("metric", "string", "Name of the metric, as the file of anomalies says.")
_DIMENSION = required("dimension", "string", "Dimension that it is told by; all of everything together.")
_VALUE = required("value", "string", "Value of the dimension; (all) of everything together.")

METRIC_ANOMALIES = Table(
    "metric_anomalies",
    "What was expected of each metric, and what came: one row a metric, value of a dimension, and day or hour. The "
    "last one of the lake is left out: it is not over. Days of the last thirteen months, and hours of the last week, "
    "are kept where anything came, and before them what is unusual, with its metric.",
    (
        _PERIOD,
        required(
            "period_start", "timestamp", "Beginning of the hour; of the day, by the clock of the site, taken as UTC."
        ),
        _METRIC,
        _DIMENSION,
        _VALUE,
        required("kind", "string", "count, rate or value."),
        required("amount", "double", "What was counted; of a rate, how many of `whole`."),
        Column("whole", "double", "Of how many it is a rate; null otherwise."),
        Column("observed", "double", "The metric.", definition="amount; of a rate amount / whole"),
        Column("expected", "double", "What was expected by those before it; null where these are too few."),
        Column("low", "double", "On ninety-nine usual days or hours in a hundred it lies above this."),
        Column("high", "double", "And below this."),
        Column("score", "double", "How far off it is; below 0 less than expected. 3 is rare, 5 hardly ever seen."),
        Column("window_periods", "int", "Over how many days or hours up to this one it is that far off."),
        Column(
            "probability",
            "double",
            "How probable that is on a usual day or hour.",
            definition="the largest of what the model, the tail of the series' own past, and that past itself give, "
            "times half the number of windows",
        ),
        required(
            "state",
            "string",
            "usual, unusual (it is told), known event, or not enough history.",
        ),
    ),
    key=("period", "period_start", "metric", "dimension", "value"),
    warehouse=InWarehouse("agg_metric_anomalies", sort_key=("period_start",), sums=("amount",), indexes=("metric",)),
)

METRIC_INCIDENTS = Table(
    "metric_incidents",
    "Unusual days, hours or minutes that belong together: one row an incident.",
    (
        required(
            "incident_id",
            "string",
            "The incident, by its first day, hour or minute and what it began with; feedback names it so.",
        ),
        _PERIOD,
        _METRIC,
        _DIMENSION,
        _VALUE,
        required("from_date", "date", "Day on which it began."),
        required(
            "begins_at", "timestamp", "Beginning of the first unusual day, hour or minute, as in metric_anomalies."
        ),
        required("ends_at", "timestamp", "End of the last one."),
        required(
            "is_open",
            "boolean",
            "It goes on.",
            definition="of the days or hours in which anything came at most 2 lie after ends_at, of such minutes at "
            "most 10",
        ),
        required("direction", "string", "more or less than expected."),
        required("periods", "int", "Days, hours or minutes in which anything of it was unusual."),
        required("series", "int", "Metrics and values that were unusual."),
        required("metrics", "string", "The metrics, as a JSON list."),
        required("worst_at", "timestamp", "Beginning of the one in which what it began with was furthest off."),
        Column("observed", "double", "The metric in it."),
        Column("expected", "double", "What was expected of it."),
        required("score", "double", "How far off it was; below 0 less than expected."),
        required(
            "excess",
            "double",
            "How many more than expected over all of it, of what it began with; below 0 fewer. Of a rate, of what is "
            "counted.",
        ),
        Column("driver_dimension", "string", "Dimension of the value that explains most of it; null where none does."),
        Column("driver_value", "string", "That value."),
        Column("driver_share", "double", "Its share of what is more or less in the worst one."),
        required("is_muted", "boolean", "The file of anomalies says that nobody is told."),
        Column("was_real", "boolean", "What the file says of it; null while it says nothing."),
        required("what", "string", "What happened, as a sentence."),
    ),
    key=("incident_id",),
    warehouse=InWarehouse("agg_metric_incidents", sort_key=("from_date",), sums=("excess",)),
)

TABLES: tuple[Table, ...] = (METRIC_ANOMALIES, METRIC_INCIDENTS)
