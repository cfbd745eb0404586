"""All that is to be there for a dashboard, in the order in which one needs the other, as AWS's requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from event_assets.quicksight.data_sets import DataSet
from event_assets.quicksight.definition import Defined, define
from event_assets.quicksight.kinds import (
    ANALYSIS,
    DASHBOARD,
    DATA_SET,
    DATA_SOURCE,
    FOLDER,
    GROUP,
    SCHEDULE,
    Json,
    Key,
    Resource,
)
from event_assets.quicksight.target import QuickSightError, Target
from event_assets.rules.dashboard import Dashboard

RULES = "rows"
"""What an id of a data set of row-level rules has after the owner."""
_READS_FOLDER = ("DescribeFolder",)
_USES_SOURCE = ("DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource")
_USES_DATA_SET = ("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions")
_READS_DASHBOARD = ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard")
_OWNS_ANALYSIS = (
    "RestoreAnalysis",
    "UpdateAnalysisPermissions",
    "DeleteAnalysis",
    "QueryAnalysis",
    "DescribeAnalysisPermissions",
    "DescribeAnalysis",
    "UpdateAnalysis",
)


@dataclass(frozen=True)
class Wanted:
    """The resources, what of the dashboard they cannot say, and the data sets by what definitions call them."""

    resources: tuple[Resource, ...]
    lost: tuple[str, ...]
    data_sets: tuple[DataSet, ...]


def wanted(dashboard: Dashboard, analyses: Mapping[str, Sequence[str]], target: Target) -> Wanted:
    """What is to be there. Raises `QuickSightError` where a rule of rows cannot hold."""
    defined = define(dashboard, analyses, target)
    known = {name for each in defined.data_sets for name in each.texts}
    if unknown := sorted({rule.column for rule in target.rows} - known):
        raise QuickSightError(f"No data set has a text column {', '.join(unknown)}, by which rows could be limited.")
    rules = [_row_rules(each, target) for each in defined.data_sets] if target.rows else []
    made = [
        *(_group(name, target) for name in target.made_groups),
        _folder(dashboard, target),
        _data_source(dashboard, target),
        *rules,
        *(_data_set(each, dashboard, target) for each in defined.data_sets),
        *_schedules(defined, target),
        *_pages(dashboard, defined, target),
    ]
    return Wanted(tuple(made), (*defined.lost, *_unseen(defined, target)), defined.data_sets)


def mark(target: Target) -> str:
    """What the description of a group of ours says: groups have no tags."""
    return f"Made by event-assets for {target.owner}"


def _allowed(target: Target, *grants: tuple[str, Sequence[str]]) -> list[Json]:
    return [
        {"Principal": target.group_arn(group), "Actions": [f"quicksight:{action}" for action in actions]}
        for group, actions in dict(grants).items()
    ]


def _group(name: str, target: Target) -> Resource:
    return Resource(Key(GROUP, name), {"Description": mark(target)})


def _folder(dashboard: Dashboard, target: Target) -> Resource:
    groups = (target.author_group, target.reader_group, *target.limited)
    return Resource(
        Key(FOLDER, target.owner),
        {
            "Name": _name(dashboard.title, "", 200),
            "FolderType": "SHARED",
            "Permissions": _allowed(target, *((group, _READS_FOLDER) for group in groups)),
        },
    )


def _data_source(dashboard: Dashboard, target: Target) -> Resource:
    redshift = {"Host": target.host, "Port": target.port, "Database": target.database}
    request: Json = {
        "Name": _name(dashboard.title, "warehouse"),
        "Type": "REDSHIFT",
        "DataSourceParameters": {"RedshiftParameters": redshift},
        "SslProperties": {"DisableSsl": False},
        "Permissions": _allowed(target, (target.author_group, _USES_SOURCE)),
        "FolderArns": [target.arn("folder", target.owner)],
    }
    if target.secret_arn:
        request["Credentials"] = {"SecretArn": target.secret_arn}
    if target.vpc_connection_arn:
        request["VpcConnectionProperties"] = {"VpcConnectionArn": target.vpc_connection_arn}
    return Resource(Key(DATA_SOURCE, target.owner), request)


def _table(target: Target, name: str, statement: str, columns: Mapping[str, str]) -> Json:
    listed = [{"Name": column, "Type": type_} for column, type_ in columns.items()]
    source = target.arn("datasource", target.owner)
    return {"table": {"CustomSql": {"DataSourceArn": source, "Name": name, "SqlQuery": statement, "Columns": listed}}}


def _data_set(each: DataSet, dashboard: Dashboard, target: Target) -> Resource:
    request: Json = {
        "Name": _name(dashboard.title, each.identifier),
        "ImportMode": target.import_mode,
        "PhysicalTableMap": _table(target, each.identifier, each.statement, each.columns),
        "Permissions": _allowed(target, (target.author_group, _USES_DATA_SET)),
        "FolderArns": [target.arn("folder", target.owner)],
    }
    if target.rows:
        request["RowLevelPermissionDataSet"] = {
            "Arn": target.arn("dataset", target.id(RULES, each.identifier)),
            "PermissionPolicy": "GRANT_ACCESS",
            "FormatVersion": "VERSION_2",
            "Status": "ENABLED",
        }
    return Resource(Key(DATA_SET, target.id(each.identifier)), request)


def _row_rules(each: DataSet, target: Target) -> Resource:
    """Who sees which rows of a data set: no value is every value, and who is not named sees none."""
    columns = [name for name in dict.fromkeys(rule.column for rule in target.rows) if name in each.texts]
    columns = columns or list(each.texts[:1])
    rows: list[tuple[str, Mapping[str, str]]] = [(target.author_group, {}), (target.reader_group, {})]
    for group, rules in target.limited.items():
        values = {rule.column: ",".join(rule.values) for rule in rules}
        if set(values) <= set(columns):
            rows.append((group, values))
    selects = [
        sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(
                [
                    sql.SQL('CAST({} AS varchar(512)) AS "GroupARN"').format(sql.Literal(target.group_arn(group))),
                    *(
                        sql.SQL("CAST({} AS varchar(4096)) AS {}").format(
                            sql.Literal(values.get(column)), sql.Identifier(column)
                        )
                        for column in columns
                    ),
                ]
            )
        )
        for group, values in dict(rows).items()
    ]
    statement = sql.SQL(" UNION ALL ").join(selects).as_string(None)
    types = {"GroupARN": "STRING", **dict.fromkeys(columns, "STRING")}
    request: Json = {
        "Name": _name("Rows of", each.identifier),
        "ImportMode": "SPICE",
        "UseAs": "RLS_RULES",
        "PhysicalTableMap": _table(target, each.identifier, statement, types),
    }
    return Resource(Key(DATA_SET, target.id(RULES, each.identifier)), request)


def _unseen(defined: Defined, target: Target) -> list[str]:
    """A sentence on each data set of which a limited group sees nothing, for it has not the column."""
    return [
        f"{group} sees no row of {each.identifier}, which has no column {', '.join(missing)}"
        for each in defined.data_sets
        for group, rules in target.limited.items()
        if (missing := [rule.column for rule in rules if rule.column not in each.texts])
    ]


def _schedules(defined: Defined, target: Target) -> list[Resource]:
    if target.import_mode != "SPICE" or not target.refreshes_itself:
        return []
    daily = {"Interval": "DAILY", "Timezone": target.time_zone, "TimeOfTheDay": target.refresh_at}
    schedule = {"ScheduleId": target.owner, "ScheduleFrequency": daily, "RefreshType": "FULL_REFRESH"}
    return [Resource(Key(SCHEDULE, target.id(each.identifier)), {"Schedule": schedule}) for each in defined.data_sets]


def _pages(dashboard: Dashboard, defined: Defined, target: Target) -> list[Resource]:
    common: Json = {
        "Name": dashboard.title[:2048] or dashboard.name,
        "Definition": defined.definition,
        "ValidationStrategy": {"Mode": "STRICT"},
        "FolderArns": [target.arn("folder", target.owner)],
    }
    readers = (target.author_group, target.reader_group, *target.limited)
    analysis = common | {"Permissions": _allowed(target, (target.author_group, _OWNS_ANALYSIS))}
    read = common | {"Permissions": _allowed(target, *((group, _READS_DASHBOARD) for group in readers))}
    return [Resource(Key(ANALYSIS, target.owner), analysis), Resource(Key(DASHBOARD, target.owner), read)]


def _name(title: str, more: str, longest: int = 128) -> str:
    return f"{title[: longest - len(more) - 1]} {more}".strip() or "event-assets"
