"""Visuals over metrics, as QuickSight draws them. Those over analyses are in `analysis_visuals.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from event_assets.quicksight.expressions import ROW
from event_assets.rules.dashboard import Dashboard, Format, Metric, Source, Visual

Json = dict[str, Any]
_LONGEST_TITLE, _LONGEST_NAME = 512, 128


def titled(text: str) -> Json:
    """A visual's title."""
    return {"Visibility": "VISIBLE", "FormatText": {"PlainText": text[:_LONGEST_TITLE] or " "}}


def column(data_set: str, name: str) -> Json:
    """A column of a data set."""
    return {"DataSetIdentifier": data_set, "ColumnName": name}


def category(data_set: str, name: str, field: str) -> Json:
    """A dimension of texts."""
    return {"CategoricalDimensionField": {"FieldId": field, "Column": column(data_set, name)}}


def day(data_set: str, name: str, field: str) -> Json:
    """A dimension of days."""
    return {"DateDimensionField": {"FieldId": field, "Column": column(data_set, name), "DateGranularity": "DAY"}}


def summed(data_set: str, name: str, field: str, by: str = "SUM") -> Json:
    """A measure: a column of numbers, added up or by another simple aggregation."""
    aggregation = {"SimpleNumericalAggregation": by}
    return {
        "NumericalMeasureField": {
            "FieldId": field,
            "Column": column(data_set, name),
            "AggregationFunction": aggregation,
        }
    }


def sorted_by(field: str, direction: str = "DESC") -> Json:
    """An order by a field of the visual."""
    return {"FieldSort": {"FieldId": field, "Direction": direction}}


class Measures:
    """The metrics of a dashboard as measures: each is a calculated field of its data set, by its title."""

    def __init__(self, dashboard: Dashboard, currency: str | None) -> None:
        self._dashboard, self._currency = dashboard, currency
        self._names: dict[str, str] = {}
        taken = {(name, key.casefold()) for name, source in dashboard.tables.items() for key in _columns(source)}
        for name, metric in dashboard.metrics.items():
            title = "".join(c for c in metric.title if c not in "{}" and c.isprintable()).strip()
            shown = title[: _LONGEST_NAME - 70]
            if not shown or (metric.table, shown.casefold()) in taken:
                shown = f"{shown} ({name})".strip()
            taken.add((metric.table, shown.casefold()))
            self._names[name] = shown

    def name(self, metric: str) -> str:
        """What the calculated field of a metric is called."""
        return self._names[metric]

    def measure(self, name: str, field: str) -> Json:
        """The metric as a measure of a visual."""
        metric = self._dashboard.metrics[name]
        made: Json = {"FieldId": field, "Column": column(metric.table, self.name(name))}
        return {"NumericalMeasureField": made | {"FormatConfiguration": {"FormatConfiguration": self._format(metric)}}}

    def _format(self, metric: Metric) -> Json:
        if metric.format == "percent":
            return {"PercentageDisplayFormatConfiguration": _places(1)}
        if metric.format == "money" and self._currency:
            return {"CurrencyDisplayFormatConfiguration": {"Symbol": self._currency, **_places(2)}}
        places, suffix = _FORMATS[metric.format]
        return {"NumberDisplayFormatConfiguration": _places(places) | ({"Suffix": suffix} if suffix else {})}


_FORMATS: dict[Format, tuple[int, str]] = {
    "number": (0, ""),
    "decimal": (2, ""),
    "percent": (1, ""),
    "money": (2, ""),
    "duration": (0, " s"),
    "milliseconds": (0, " ms"),
    "times": (2, " times"),
}


def _places(count: int) -> Json:
    return {"DecimalPlacesConfiguration": {"DecimalPlaces": count}}


def _columns(source: Source) -> Sequence[str]:
    return (ROW, *source.warehouse_table.columns)


def of_metrics(dashboard: Dashboard, measures: Measures, visual: Visual, id_: str) -> tuple[Json, list[str]]:
    """A visual over metrics, and what of it QuickSight cannot say."""
    first = visual.named[0]
    metric = dashboard.metrics[first]
    if visual.kind == "number":
        wells: Json = {"Values": [measures.measure(first, f"{id_}-value")]}
        made = {"KPIVisual": _made(id_, visual.title or metric.title, {"FieldWells": wells})}
        return made, ["a number is not held against the period before"]
    if visual.kind == "line":
        time = day(metric.table, dashboard.tables[metric.table].time, f"{id_}-day")
        wells = {"Category": [time], "Values": [measures.measure(first, f"{id_}-value")]}
        chart = {"Type": "LINE", "FieldWells": {"LineChartAggregatedFieldWells": wells}}
        lost = [] if visual.by is None else [f"a line by day is not broken down by {visual.by}"]
        return {"LineChartVisual": _made(id_, visual.title or f"{metric.title} by day", chart)}, lost
    assert visual.by is not None
    by = dashboard.tables[metric.table].dimensions[visual.by]
    title = visual.title or (f"{metric.title} by {by.lower()}" if visual.kind == "bars" else by)
    if visual.kind == "bars":
        return {"BarChartVisual": _made(id_, title, _bars(measures, visual, metric.table, id_))}, []
    return {"TableVisual": _made(id_, title, _table(measures, visual, metric.table, id_))}, [
        "a table has all its rows, in pages; the most is the length of a page"
    ]


def _made(id_: str, title: str, chart: Json) -> Json:
    return {"VisualId": id_, "Title": titled(title), "ChartConfiguration": chart}


def _bars(measures: Measures, visual: Visual, data_set: str, id_: str) -> Json:
    assert visual.metric is not None and visual.by is not None
    return {
        "Orientation": "HORIZONTAL",
        "FieldWells": {
            "BarChartAggregatedFieldWells": {
                "Category": [category(data_set, visual.by, f"{id_}-by")],
                "Values": [measures.measure(visual.metric, f"{id_}-value")],
            }
        },
        "SortConfiguration": {
            "CategorySort": [sorted_by(f"{id_}-value")],
            "CategoryItemsLimit": {"ItemsLimit": visual.most, "OtherCategories": "EXCLUDE"},
        },
    }


def _table(measures: Measures, visual: Visual, data_set: str, id_: str) -> Json:
    assert visual.by is not None
    values = [measures.measure(name, f"{id_}-value-{n}") for n, name in enumerate(visual.named)]
    return {
        "FieldWells": {
            "TableAggregatedFieldWells": {"GroupBy": [category(data_set, visual.by, f"{id_}-by")], "Values": values}
        },
        "SortConfiguration": {
            "RowSort": [sorted_by(f"{id_}-value-0")],
            "PaginationConfiguration": {"PageSize": visual.most, "PageNumber": 1},
        },
    }
