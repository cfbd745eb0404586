"""Filters of a page, with their controls: what our own pages filter by, on the sheet of a dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from event_assets.quicksight.data_sets import PEOPLE, TRAFFIC
from event_assets.quicksight.visuals import Json, column
from event_assets.rules.dashboard import Page, Source

FROM, TO = "PeriodFrom", "PeriodTo"
_MODEL = "last"
_DIMENSIONS = ("app_id", "platform", "country", "channel_group")
_CANNOT = {
    "compare": "there is no comparison with another period",
    "segment": "there is no filter by segment",
}


class Filtered(NamedTuple):
    """The groups of filters of a sheet, its controls, and what it cannot be filtered by."""

    groups: list[Json]
    controls: Json
    lost: list[str]


def parameters() -> list[Json]:
    """The period of all sheets: the last 28 days, today being one of them."""
    first = "addDateTime(-27, 'DD', truncDate('DD', now()))"
    return [
        {
            "DateTimeParameterDeclaration": {
                "Name": name,
                "TimeGranularity": "DAY",
                "DefaultValues": {"RollingDate": {"Expression": expression}},
            }
        }
        for name, expression in ((FROM, first), (TO, "truncDate('DD', now())"))
    ]


def of_page(page: Page, sources: Mapping[str, Source]) -> Filtered:
    """The filters of a page over these tables. Robots, the period and one attribution model are always chosen."""
    made = Filtered([], {}, [f"{page.id}: {_CANNOT[name]}" for name in page.filters if name in _CANNOT])
    for name, source in sources.items():
        made.groups.append(group(page.id, f"period-{name}", [_period(page, name, source)]))
    if sources and "period" in page.filters:
        made.controls["ParameterControls"] = [
            {
                "DateTimePicker": {
                    "ParameterControlId": f"{page.id}-{name}",
                    "Title": title,
                    "SourceParameterName": name,
                }
            }
            for name, title in ((FROM, "From"), (TO, "To"))
        ]
    controls = [
        each
        for name, data, title, values in _chosen(page, sources)
        for each in _add(made, page, name, data, title, values)
    ]
    if controls:
        made.controls["FilterControls"] = controls
    made.lost.extend(_without_effect(page, sources))
    return made


def _chosen(page: Page, sources: Mapping[str, Source]) -> Iterator[tuple[str, str, str, list[str]]]:
    """What is filtered by: the column, the first data set that has it, its title, and what is chosen at first."""
    for name in _DIMENSIONS:
        having = [data for data, source in sources.items() if name in source.dimensions]
        if name in page.filters and having:
            yield name, having[0], sources[having[0]].dimensions[name], []
    with_robots = [name for name, source in sources.items() if source.robots]
    if with_robots:
        yield TRAFFIC, with_robots[0], "Traffic", [PEOPLE]
    with_models = [name for name, source in sources.items() if source.model]
    if with_models:
        yield "model", with_models[0], "Attribution model", [_MODEL]


def _add(made: Filtered, page: Page, name: str, data: str, title: str, values: list[str]) -> Iterator[Json]:
    """A filter, which holds for every data set that has the column, and its control where the page has one."""
    id_ = f"{page.id}-filter-{name}"
    choice: Json = {"MatchOperator": "CONTAINS"}
    choice |= {"CategoryValues": values} if values else {"SelectAllOptions": "FILTER_ALL_VALUES"}
    made.groups.append(group(page.id, name, [_category(id_, data, name, choice)], is_everywhere=True))
    if name in page.filters or (name == TRAFFIC and "robots" in page.filters):
        control: Json = {"FilterControlId": f"{page.id}-control-{name}", "Title": title[:2048], "SourceFilterId": id_}
        if name == "model":  # each amount is there once a model
            hidden = {"SelectAllOptions": {"Visibility": "HIDDEN"}}
            yield {"Dropdown": control | {"Type": "SINGLE_SELECT", "DisplayOptions": hidden}}
        else:
            yield {"Dropdown": control | {"Type": "MULTI_SELECT"}}


def _without_effect(page: Page, sources: Mapping[str, Source]) -> Iterator[str]:
    for name in _DIMENSIONS:
        without = [data for data, source in sources.items() if name not in source.dimensions]
        if name in page.filters and without:
            yield f"{page.id}: the filter by {name} does not apply to {', '.join(without)}"


def only(sheet: str, visual: str, data_set: str, values: Mapping[str, str]) -> Json:
    """What one visual alone is of."""
    filters = [
        _category(f"{visual}-only-{name}", data_set, name, {"MatchOperator": "CONTAINS", "CategoryValues": [value]})
        for name, value in values.items()
    ]
    scope = {"SheetId": sheet, "Scope": "SELECTED_VISUALS", "VisualIds": [visual]}
    return _group(f"{visual}-only", filters, scope, is_everywhere=False)


def group(sheet: str, name: str, filters: list[Json], *, is_everywhere: bool = False) -> Json:
    """Filters of all visuals of a sheet: of their own data set alone, or of all that have the column."""
    return _group(f"{sheet}-group-{name}", filters, {"SheetId": sheet, "Scope": "ALL_VISUALS"}, is_everywhere)


def _group(id_: str, filters: Iterable[Json], scope: Json, is_everywhere: bool) -> Json:
    return {
        "FilterGroupId": id_,
        "CrossDataset": "ALL_DATASETS" if is_everywhere else "SINGLE_DATASET",
        "Status": "ENABLED",
        "Filters": list(filters),
        "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": [scope]}},
    }


def _category(id_: str, data_set: str, name: str, choice: Json) -> Json:
    return {
        "CategoryFilter": {
            "FilterId": id_,
            "Column": column(data_set, name),
            "Configuration": {"FilterListConfiguration": choice},
        }
    }


def _period(page: Page, data_set: str, source: Source) -> Json:
    return {
        "TimeRangeFilter": {
            "FilterId": f"{page.id}-filter-period-{data_set}",
            "Column": column(data_set, source.time),
            "IncludeMinimum": True,
            "IncludeMaximum": True,
            "RangeMinimumValue": {"Parameter": FROM},
            "RangeMaximumValue": {"Parameter": TO},
            "NullOption": "NON_NULLS_ONLY",
            "TimeGranularity": "DAY",
        }
    }
