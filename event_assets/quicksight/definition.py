"""The definition of an analysis and of the dashboard made of it: the file's pages as sheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from event_assets.quicksight import data_sets, filters, visuals
from event_assets.quicksight.analysis_visuals import SEGMENT_MEASURES, Drawn, of_analysis, of_segments
from event_assets.quicksight.data_sets import ANALYSES, DataSet
from event_assets.quicksight.expressions import expression
from event_assets.quicksight.target import Target
from event_assets.quicksight.visuals import Json, Measures
from event_assets.rules.dashboard import Dashboard, Page, Visual

_COLUMNS, _A_LINE, _LOW, _HIGH = 36, 6, 6, 12


@dataclass
class Defined:
    """A definition, the data sets that it is over, and what QuickSight cannot say, each with its page."""

    definition: Json
    data_sets: tuple[DataSet, ...]
    lost: tuple[str, ...]


@dataclass
class _Sheet:
    """What is drawn on a sheet so far."""

    visuals: list[Json] = field(default_factory=list)
    places: list[Json] = field(default_factory=list)
    groups: list[Json] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def define(dashboard: Dashboard, analyses: Mapping[str, Sequence[str]], target: Target) -> Defined:
    """The definition of a dashboard. `analyses` are the names of the product analyses by kind."""
    measures = Measures(dashboard, target.currency)
    drawn = [(page, _draw(dashboard, measures, analyses, page)) for page in dashboard.pages]
    used = list(dict.fromkeys(name for _, sheet in drawn for name in sheet.used))
    sets = tuple(_data_set(dashboard, name, target.schema) for name in used)
    made = [_sheet(dashboard, page, sheet) for page, sheet in drawn]
    fields = [
        {"DataSetIdentifier": metric.table, "Name": measures.name(name), "Expression": expression(dashboard, name)}
        for name, metric in dashboard.metrics.items()
        if metric.table in used
    ]
    if f"{ANALYSES}segments" in used:
        fields += [
            {"DataSetIdentifier": f"{ANALYSES}segments", "Name": name, "Expression": text}
            for name, text in SEGMENT_MEASURES.items()
        ]
    definition: Json = {
        "DataSetIdentifierDeclarations": [
            {"Identifier": each.identifier, "DataSetArn": target.arn("dataset", target.id(each.identifier))}
            for each in sets
        ],
        "Sheets": [sheet for sheet, _, _ in made],
        "CalculatedFields": fields,
        "ParameterDeclarations": filters.parameters(),
        "FilterGroups": [group for _, groups, _ in made for group in groups],
        "Options": {"Timezone": "UTC", "WeekStart": "MONDAY"},
    }
    return Defined(definition, sets, tuple(dict.fromkeys(each for _, _, lost in made for each in lost)))


def _data_set(dashboard: Dashboard, name: str, schema: str) -> DataSet:
    if not name.startswith(ANALYSES):
        return data_sets.of_source(dashboard, name, schema)
    kind = name.removeprefix(ANALYSES)
    if kind == "segments":
        return data_sets.of_segments(schema)
    return data_sets.of_overlaps(schema) if kind == "segment-overlaps" else data_sets.of_analyses(kind, schema)


def _draw(dashboard: Dashboard, measures: Measures, analyses: Mapping[str, Sequence[str]], page: Page) -> _Sheet:
    sheet, top = _Sheet(), 0
    for number, row in enumerate(page.rows):
        here = len(sheet.visuals)
        for place, visual in enumerate(row):
            _draw_one(dashboard, measures, analyses, sheet, visual, f"{page.id}-{number}-{place}")
        height = _LOW if all(visual.kind == "number" for visual in row) else _HIGH
        ids = [visual_id(each) for each in sheet.visuals[here:]]
        for first in range(0, len(ids), _A_LINE):
            line = ids[first : first + _A_LINE]
            sheet.places.extend(_places(line, top, height))
            top += height
    return sheet


def visual_id(visual: Json) -> str:
    """The id of a visual of any kind."""
    [body] = visual.values()
    return str(body["VisualId"])


def _places(ids: Sequence[str], top: int, height: int) -> Iterator[Json]:
    width = _COLUMNS // len(ids)
    for number, id_ in enumerate(ids):
        yield {
            "ElementId": id_,
            "ElementType": "VISUAL",
            "ColumnIndex": number * width,
            "ColumnSpan": width,
            "RowIndex": top,
            "RowSpan": height,
        }


def _draw_one(
    dashboard: Dashboard,
    measures: Measures,
    analyses: Mapping[str, Sequence[str]],
    sheet: _Sheet,
    visual: Visual,
    id_: str,
) -> None:
    if visual.kind in ("number", "line", "bars", "table"):
        made, lost = visuals.of_metrics(dashboard, measures, visual, id_)
        sheet.visuals.append(made)
        sheet.used.append(dashboard.metrics[visual.named[0]].table)
        sheet.lost.extend(lost)
        return
    for drawn in _drawn(visual, analyses, id_, sheet):
        sheet.visuals.append(drawn.visual)
        sheet.used.append(drawn.data_set)
        sheet.lost.extend(drawn.lost)
        if drawn.only:
            sheet_id = id_.split("-")[0]
            sheet.groups.append(filters.only(sheet_id, visual_id(drawn.visual), drawn.data_set, drawn.only))


def _drawn(visual: Visual, analyses: Mapping[str, Sequence[str]], id_: str, sheet: _Sheet) -> list[Drawn]:
    if visual.kind == "segments":
        return of_segments(visual, id_)
    names = [visual.analysis] if visual.analysis else list(analyses.get(visual.kind, ()))
    if not names:
        sheet.lost.append(f"there is no analysis of the kind {visual.kind}, and nothing to draw")
    return [of_analysis(visual, name, f"{id_}-{n}") for n, name in enumerate(names)]


def _sheet(dashboard: Dashboard, page: Page, drawn: _Sheet) -> tuple[Json, list[Json], list[str]]:
    sources = {name: dashboard.tables[name] for name in dict.fromkeys(drawn.used) if name in dashboard.tables}
    filtered = filters.of_page(page, sources)
    made: Json = {
        "SheetId": page.id,
        "Name": page.title[:2048] or page.id,
        "ContentType": "INTERACTIVE",
        "Visuals": drawn.visuals,
        "Layouts": [{"Configuration": {"GridLayout": {"Elements": drawn.places}}}],
        **filtered.controls,
    }
    if page.description:
        made["Description"] = page.description[:1024]
    lost = [f"{page.id}: {each}" for each in drawn.lost]
    return made, [*filtered.groups, *drawn.groups], [*lost, *filtered.lost]
