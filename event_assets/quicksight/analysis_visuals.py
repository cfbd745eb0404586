"""Visuals over what analyses give, one each: what QuickSight has that says the same, and what it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from event_assets.quicksight.data_sets import ANALYSES
from event_assets.quicksight.visuals import Json, category, column, day, sorted_by, summed, titled
from event_assets.rules.dashboard import Visual


class Drawn(NamedTuple):
    """A visual, its data set, by which values of which columns it is filtered, and what it cannot say."""

    visual: Json
    data_set: str
    only: Mapping[str, str]
    lost: tuple[str, ...] = ()


def of_analysis(visual: Visual, analysis: str, id_: str) -> Drawn:
    """The visual of one analysis."""
    data_set = ANALYSES + visual.kind
    kind, chart, lost = _KINDS[visual.kind](data_set, id_, visual)
    title = visual.title or analysis.replace("_", " ").capitalize()
    made: Json = {kind: {"VisualId": id_, "Title": titled(title), "ChartConfiguration": chart}}
    only = {"analysis": analysis, **_ONLY.get(visual.kind, {})}
    return Drawn(made, data_set, only, lost)


_Chart = tuple[str, Json, tuple[str, ...]]
_ONLY: Mapping[str, Mapping[str, str]] = {
    "funnel": {"breakdown": "(all)"},
    "trends": {"breakdown": "(all)", "span": "now"},
    "lifecycle": {"span": "now"},
    "active_users": {"span": "now"},
    "retention": {"breakdown": "(all)", "span": "now"},
}
"""Values of further columns that a kind's visuals are filtered by."""


def _trends(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Category": [day(data, "period_start", f"{id_}-period")],
        "Values": [summed(data, "value", f"{id_}-value")],
        "Colors": [category(data, "series_name", f"{id_}-series")],
    }
    chart: Json = {"Type": "LINE", "FieldWells": {"LineChartAggregatedFieldWells": wells}}
    return "LineChartVisual", chart, ("a trend has no breakdown and no period before",)


def _lifecycle(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Category": [day(data, "period_start", f"{id_}-period")],
        "Values": [summed(data, "people", f"{id_}-people")],
        "Colors": [category(data, "status", f"{id_}-status")],
    }
    chart: Json = {"Orientation": "VERTICAL", "BarsArrangement": "STACKED"}
    lost = ("a lifecycle has no period before",)
    return "BarChartVisual", chart | {"FieldWells": {"BarChartAggregatedFieldWells": wells}}, lost


def _active(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Category": [day(data, "event_date", f"{id_}-day")],
        "Values": [summed(data, name, f"{id_}-{name}") for name in ("dau", "wau", "mau")],
    }
    chart: Json = {"Type": "LINE", "FieldWells": {"LineChartAggregatedFieldWells": wells}}
    return (
        "LineChartVisual",
        chart,
        ("the stickiness of each day and the days before are not in the chart of active people",),
    )


def _stickiness(data: str, id_: str, _: Visual) -> _Chart:
    periods = {"NumericalDimensionField": {"FieldId": f"{id_}-periods", "Column": column(data, "periods")}}
    wells = {"Category": [periods], "Values": [summed(data, "people", f"{id_}-people")]}
    chart: Json = {"Orientation": "VERTICAL", "FieldWells": {"BarChartAggregatedFieldWells": wells}}
    order = {"CategorySort": [sorted_by(f"{id_}-periods", "ASC")]}
    return "BarChartVisual", chart | {"SortConfiguration": order}, ()


def _retention(data: str, id_: str, _: Visual) -> _Chart:
    period = {"NumericalDimensionField": {"FieldId": f"{id_}-period", "Column": column(data, "period")}}
    wells = {
        "Rows": [day(data, "cohort_start", f"{id_}-cohort")],
        "Columns": [period],
        "Values": [summed(data, "share", f"{id_}-share", "AVERAGE")],
    }
    lost = ("the size of each cohort is not beside the retention, which has no breakdown and no period before",)
    return "HeatMapVisual", {"FieldWells": {"HeatMapAggregatedFieldWells": wells}}, lost


def _funnel(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Category": [category(data, "step_name", f"{id_}-step")],
        "Values": [summed(data, "people", f"{id_}-people")],
    }
    by_step = {"SimpleNumericalAggregation": "MIN"}
    order = {
        "SortBy": column(data, "step"),
        "Direction": "ASC",
        "AggregationFunction": {"NumericalAggregationFunction": by_step},
    }
    chart: Json = {
        "FieldWells": {"FunnelChartAggregatedFieldWells": wells},
        "SortConfiguration": {"CategorySort": [{"ColumnSort": order}]},
        "DataLabelOptions": {
            "Visibility": "VISIBLE",
            "MeasureDataLabelStyle": "VALUE_AND_PERCENTAGE_BY_FIRST_STAGE",
        },
    }
    return "FunnelChartVisual", chart, ("a funnel has no breakdown and no times between steps",)


def _funnel_trend(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Category": [day(data, "period_start", f"{id_}-period")],
        "Values": [summed(data, name, f"{id_}-{name}") for name in ("people", "converted")],
    }
    chart: Json = {"Type": "LINE", "FieldWells": {"LineChartAggregatedFieldWells": wells}}
    return "LineChartVisual", chart, ("the trend of a funnel has no share who converted",)


def _times(data: str, id_: str, _: Visual) -> _Chart:
    times = {"NumericalDimensionField": {"FieldId": f"{id_}-from", "Column": column(data, "from_seconds")}}
    wells = {"Category": [times], "Values": [summed(data, "people", f"{id_}-people")]}
    chart: Json = {"Orientation": "VERTICAL", "FieldWells": {"BarChartAggregatedFieldWells": wells}}
    order = {"CategorySort": [sorted_by(f"{id_}-from", "ASC")]}
    return "BarChartVisual", chart | {"SortConfiguration": order}, ()


def _paths(data: str, id_: str, _: Visual) -> _Chart:
    wells = {
        "Source": [category(data, "from_place", f"{id_}-from")],
        "Destination": [category(data, "to_place", f"{id_}-to")],
        "Weight": [summed(data, "transitions", f"{id_}-transitions")],
    }
    chart: Json = {"FieldWells": {"SankeyDiagramAggregatedFieldWells": wells}}
    return "SankeyDiagramVisual", chart, ("paths do not say the time between two places",)


def _vitals(data: str, id_: str, visual: Visual) -> _Chart:
    wells = {
        "GroupBy": [category(data, name, f"{id_}-{name}") for name in ("page_path", "device_type")],
        "Values": [
            summed(data, "views", f"{id_}-views"),
            *(summed(data, name, f"{id_}-{name}", "MAX") for name in ("lcp_ms", "inp_ms", "cls")),
        ],
    }
    chart: Json = {
        "FieldWells": {"TableAggregatedFieldWells": wells},
        "SortConfiguration": {
            "RowSort": [sorted_by(f"{id_}-views")],
            "PaginationConfiguration": {"PageSize": visual.most, "PageNumber": 1},
        },
    }
    return "TableVisual", chart, ("a table has all its rows, in pages; the most is the length of a page",)


_KINDS: Mapping[str, Callable[[str, str, Visual], _Chart]] = {
    "trends": _trends,
    "lifecycle": _lifecycle,
    "active_users": _active,
    "stickiness": _stickiness,
    "retention": _retention,
    "funnel": _funnel,
    "funnel_trend": _funnel_trend,
    "time_to_convert": _times,
    "paths": _paths,
    "web_vitals": _vitals,
}
SEGMENT_MEASURES: Mapping[str, str] = {
    "Entered in 7 days": "sum(ifelse(dateDiff({from_date}, now(), 'DD') < 7, 1, 0))",
    "Left in 7 days": "sum(ifelse(isNotNull({to_date}) AND dateDiff({to_date}, now(), 'DD') < 7, 1, 0))",
}
"""Calculated fields of the data set of segments, by name."""


def of_segments(visual: Visual, id_: str) -> list[Drawn]:
    """Members with who came and went, and how far segments overlap."""
    data, overlaps = f"{ANALYSES}segments", f"{ANALYSES}segment-overlaps"
    changes = [
        {"NumericalMeasureField": {"FieldId": f"{id_}-{n}", "Column": column(data, name)}}
        for n, name in enumerate(SEGMENT_MEASURES)
    ]
    members: Json = {
        "FieldWells": {
            "TableAggregatedFieldWells": {
                "GroupBy": [category(data, "segment", f"{id_}-segment")],
                "Values": [summed(data, "is_current", f"{id_}-members"), *changes],
            }
        },
        "SortConfiguration": {"RowSort": [sorted_by(f"{id_}-members")]},
    }
    common: Json = {
        "FieldWells": {
            "HeatMapAggregatedFieldWells": {
                "Rows": [category(overlaps, "segment", f"{id_}-one")],
                "Columns": [category(overlaps, "other_segment", f"{id_}-other")],
                "Values": [summed(overlaps, "people", f"{id_}-both")],
            }
        }
    }
    table = {"VisualId": id_, "Title": titled(visual.title or "Segments"), "ChartConfiguration": members}
    map_ = {"VisualId": f"{id_}-overlap", "Title": titled("Overlap"), "ChartConfiguration": common}
    lost = ("segments do not show their members by day",)
    return [Drawn({"TableVisual": table}, data, {}, lost), Drawn({"HeatMapVisual": map_}, overlaps, {})]
