"""What is generated is what AWS's model takes, and what it would not take is found before anything is sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.quicksight.requests import all_requests, columns_of, operation
from event_assets.quicksight.resources import Wanted, wanted
from event_assets.quicksight.target import Groups, QuickSightError, RowRule, Target
from event_assets.quicksight.validation import check, faults_of
from event_assets.rules.dashboard import DASHBOARD_FILE, Dashboard
from event_assets.rules.roles import Roles
from event_assets_tests.examples import examples, texts
from event_assets_tests.quicksight.conftest import ANALYSES, TARGET

GOLDEN = Path(__file__).with_name("definition.json")
Json = dict[str, Any]


def made(dashboard: Dashboard, target: Target = TARGET) -> Wanted:
    return wanted(dashboard, ANALYSES, target)


def text() -> str:
    """The golden definition, as it is now."""
    dashboard = DASHBOARD_FILE.read(Path(__file__).with_name("every_kind.yaml"))
    definition = made(dashboard).resources[-1].request["Definition"]
    return json.dumps(definition, indent=1, ensure_ascii=False) + "\n"


def test_the_definition_is_the_golden_one_and_passes_both_validators(every_kind: Dashboard) -> None:
    assert GOLDEN.read_text(encoding="utf-8") == text(), "if it is meant, write text() to GOLDEN"
    found = made(every_kind)
    columns = columns_of(found.resources, TARGET)
    for name, request in all_requests(found.resources, TARGET):
        assert not ParamValidator().validate(request, operation(name).input_shape).has_errors()
        assert faults_of(name, request, columns) == []


def test_what_quicksight_cannot_say_is_named(every_kind: Dashboard) -> None:
    lost = made(every_kind).lost
    assert "metrics: there is no filter by segment" in lost
    assert "metrics: the filter by app_id does not apply to credit" in lost
    assert "analyses: segments do not show their members by day" in lost
    none = wanted(every_kind, {}, TARGET).lost
    assert "analyses: there is no analysis of the kind retention, and nothing to draw" in none


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_arns_are_of_the_partition_of_the_region(every_kind: Dashboard, region: str, partition: str) -> None:
    found = made(every_kind, replace(TARGET, region=region, secret_arn=None))
    arns = [word for word in json.dumps([each.request for each in found.resources]).split('"') if word[:4] == "arn:"]
    assert arns and {arn.split(":")[1] for arn in arns} == {partition}


def visual(definition: Json) -> Json:
    found: Json = definition["Sheets"][0]["Visuals"][0]["KPIVisual"]
    return found


def first_filter(definition: Json) -> Json:
    found: Json = definition["FilterGroups"][0]["Filters"][0]["TimeRangeFilter"]
    return found


BREAKS: list[tuple[Callable[[Json], object], str]] = [
    (lambda d: d["Options"].update(WeekStart="MOONDAY"), "'MOONDAY' is none of"),
    (lambda d: visual(d).update(VisualId="a b"), "does not match"),
    (lambda d: d["Sheets"][0].update(Name="x" * 2049), "2049 characters, at most 2048"),
    (lambda d: d["Sheets"].extend(copy.deepcopy(d["Sheets"][0]) for _ in range(20)), "22 items, at most 20"),
    (lambda d: d["Sheets"][0]["Visuals"][0].update(EmptyVisual={}), "Missing required parameter"),
    (lambda d: d["Sheets"][0]["Visuals"][0].update(d["Sheets"][0]["Visuals"][3]), "exactly one is allowed"),
    (lambda d: d["Sheets"][0].update(Unknown=1), "Unknown parameter"),
    (lambda d: d["FilterGroups"][0].update(ScopeConfiguration={}), "ScopeConfiguration: exactly one is allowed"),
    (lambda d: d["FilterGroups"][0]["Filters"].append({}), "Filters[1]: exactly one is allowed, there are none"),
    (lambda d: d["Sheets"][0]["Layouts"].clear(), "Layouts, value: 0, valid min length: 1"),
    (lambda d: d["CalculatedFields"][0].update(Expression="sum({nothing})"), "has no column nothing"),
    (lambda d: d["CalculatedFields"].append(d["CalculatedFields"][0]), "has one of that name already"),
    (lambda d: first_filter(d)["Column"].update(ColumnName="nothing"), "sessions has no column nothing"),
    (lambda d: first_filter(d)["Column"].update(DataSetIdentifier="else"), "there is no data set else"),
    (lambda d: first_filter(d)["RangeMinimumValue"].update(Parameter="Else"), "there is no parameter Else"),
    (lambda d: d["ParameterDeclarations"].pop(), "there is no parameter PeriodTo"),
    (lambda d: visual(d).update(VisualId="metrics-0-1"), "VisualId metrics-0-1 is there 2 times"),
    (lambda d: d["Sheets"][0]["Visuals"].pop(0), "metrics-0-0 is in the layout, and no visual"),
    (lambda d: d["FilterGroups"].pop(2), "there is no filter metrics-filter-"),
    (lambda d: d["Sheets"][1].update(SheetId="metrics"), "SheetId metrics is there 2 times"),
    (lambda d: d["Sheets"].pop(), "a filter is of the sheet analyses, which is not there"),
    (
        lambda d: d["DataSetIdentifierDeclarations"][0].update(DataSetArn="arn:aws:quicksight:x:1:dataset/else"),
        "dataset/else is not made",
    ),
]


@pytest.mark.parametrize(("spoil", "words"), BREAKS, ids=[words for _, words in BREAKS])
def test_each_fault_is_found_before_anything_is_sent(
    every_kind: Dashboard, spoil: Callable[[Json], object], words: str
) -> None:
    found = made(every_kind)
    last = found.resources[-1]
    definition = copy.deepcopy(last.request["Definition"])
    spoil(definition)
    spoilt = replace(last, request={**last.request, "Definition": definition})
    with pytest.raises(QuickSightError, match="nothing was sent") as raised:
        check((*found.resources[:-1], spoilt), TARGET)
    assert words in str(raised.value)


def test_a_group_that_is_limited_sees_its_rows_and_of_data_that_has_not_the_column_none(every_kind: Dashboard) -> None:
    found = made(every_kind, replace(TARGET, rows=(RowRule("germany", "country", ("DE", "AT")),)))
    check(found.resources, TARGET)
    statements = {
        each.key.id: each.request["PhysicalTableMap"]["table"]["CustomSql"]["SqlQuery"]
        for each in found.resources
        if each.request.get("UseAs") == "RLS_RULES"
    }
    assert "group/default/germany' AS varchar(512)) AS \"GroupARN\", CAST('DE,AT'" in statements["ea-web-rows-sessions"]
    assert "germany" not in statements["ea-web-rows-credit"]
    assert all("ea-web-readers" in statement for statement in statements.values())
    assert "germany sees no row of credit, which has no column country" in found.lost
    ruled = {
        each.key.id: each.request["RowLevelPermissionDataSet"]["Arn"].split("/")[1]
        for each in found.resources
        if "RowLevelPermissionDataSet" in each.request
    }
    assert ruled["ea-web-credit"] == "ea-web-rows-credit"
    assert {*ruled.values()} == {*statements}
    with pytest.raises(QuickSightError, match="No data set has a text column planet"):
        made(every_kind, replace(TARGET, rows=(RowRule("earth", "planet", ("3",)),)))


def test_groups_are_those_of_the_roles_file() -> None:
    reader, shared = {"quicksight": "reader"}, {"warehouse": "shared"}
    told: Json = {
        "all": {**reader, "quicksight_group": "readers"},
        "german": {**reader, **shared, "rows": {"country": ["DE", "AT"]}},
        "shop": {**reader, **shared, "rows": {"app_id": ["shop"], "country": ["DE"]}, "quicksight_group": "shop"},
        "makes": {"quicksight": "author"},
        "admin": {"warehouse": "administer"},
    }
    groups = Groups.of(Roles.model_validate({"roles": told}), "ea-web")
    target = replace(TARGET, **groups._asdict())
    assert (target.reader_group, target.made_groups) == ("readers", ("ea-web-authors", "ea-web-german"))
    assert target.limited == {
        "ea-web-german": (RowRule("ea-web-german", "country", ("DE", "AT")),),
        "shop": (RowRule("shop", "app_id", ("shop",)), RowRule("shop", "country", ("DE",))),
    }
    with pytest.raises(QuickSightError, match="one role with quicksight: reader that sees all rows; it has 2"):
        Groups.of(Roles.model_validate({"roles": told | {"more": reader}}), "ea-web")


TIMED = [table for table in WAREHOUSE_TABLES if any(column.type in ("date", "timestamp") for column in table.specs())]
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,62}", fullmatch=True)
TITLES = texts(max_size=150)
SCALARS = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts(max_size=20))


def of_type(table: WarehouseTable, *types: str) -> list[str]:
    return [column.name for column in table.specs() if column.type in types]


@st.composite
def wheres(draw: st.DrawFn, table: WarehouseTable) -> Json:
    bounds = st.fixed_dictionaries({}, optional={"at_least": st.floats(-9, 9), "at_most": st.floats(-9, 9)})
    told = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), bounds)
    return draw(st.dictionaries(st.sampled_from(table.columns), told, max_size=2))


@st.composite
def dashboards(draw: st.DrawFn) -> Json:
    tables: Json = {}
    metrics: Json = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        table = draw(st.sampled_from(TIMED))
        texts = of_type(table, "string")
        tables[name] = {
            "table": table.name,
            "time": draw(st.sampled_from(of_type(table, "date", "timestamp"))),
            "dimensions": draw(st.dictionaries(st.sampled_from(texts or list(table.columns)), TITLES, max_size=4)),
        }
        if "is_bot" in table.columns and draw(st.booleans()):
            tables[name]["robots"] = "is_bot"
        metrics |= draw(_metrics(name, table))
    pages = [
        {
            "id": id_,
            "title": draw(TITLES),
            "description": draw(TITLES),
            "filters": draw(st.lists(st.sampled_from(["period", "compare", "app_id", "country", "robots", "model"]))),
            "rows": draw(st.lists(st.lists(_visuals(tables, metrics), max_size=7), max_size=4)),
        }
        for id_ in draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    ]
    return {"name": draw(NAMES), "title": draw(TITLES), "tables": tables, "metrics": metrics, "pages": pages}


@st.composite
def _metrics(draw: st.DrawFn, source: str, table: WarehouseTable) -> Json:
    numbers = of_type(table, "int", "long", "double")
    kinds = ["count", "count_distinct", "share_where", *(("sum", "avg", "percentile") if numbers else ())]
    made: Json = {}
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(kinds))
        metric: Json = {"kind": kind, "title": draw(TITLES), "description": "", "table": source}
        metric["where"] = draw(wheres(table))
        if kind in ("sum", "avg", "percentile", "count_distinct"):
            metric["column"] = draw(st.sampled_from(list(table.columns) if kind == "count_distinct" else numbers))
        if kind == "percentile":
            metric["share"] = draw(st.floats(0, 1))
        if kind == "share_where":
            metric["condition"] = draw(wheres(table))
        made[f"{source}_{number}"[-60:]] = metric
    first = next(iter(made))
    ratio = {"kind": "ratio", "title": draw(TITLES), "description": "", "table": source}
    made[f"r_{source}"[:60]] = ratio | {"numerator": first, "denominator": first}
    return made


@st.composite
def _visuals(draw: st.DrawFn, tables: Json, metrics: Json) -> Json:
    name = draw(st.sampled_from(sorted(metrics)))
    by = sorted(tables[metrics[name]["table"]]["dimensions"])
    kind = draw(st.sampled_from(["number", "line", *(("bars", "table") if by else ()), *ANALYSES, "segments"]))
    visual: Json = {"kind": kind, "title": draw(TITLES), "most": draw(st.integers(1, 1000))}
    if kind in ("number", "line", "bars"):
        visual["metric"] = name
    if kind == "table":
        visual["metrics"] = [name, *draw(st.lists(st.just(name), max_size=1))]
    if kind in ("bars", "table"):
        visual["by"] = draw(st.sampled_from(by))
    return visual


@examples(30)
@given(document=dashboards(), limited=st.booleans())
def test_every_dashboard_that_our_rules_take_gives_requests_that_aws_takes(document: Json, limited: bool) -> None:
    dashboard = DASHBOARD_FILE.model.validate_python(document)
    found = made(dashboard)
    if limited and (columns := [each for row in found.resources for each in _texts(row.request)]):
        found = made(dashboard, replace(TARGET, rows=(RowRule("some", columns[0], ("a", "b'")),)))
    check(found.resources, TARGET)


def _texts(request: Any) -> list[str]:
    table = request.get("PhysicalTableMap", {}).get("table", {}).get("CustomSql", {})
    return [column["Name"] for column in table.get("Columns", ()) if column["Type"] == "STRING"]
