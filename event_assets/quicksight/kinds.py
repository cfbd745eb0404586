"""The kinds of resources that are made, and how AWS's API speaks of each. No call here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind: its name in operations (`CreateDataSet`), the field of its id, its part of an ARN, where `Describe…`
    and `List…` have it. What has no `arn` has no tags; of `permissions` there are operations of their own."""

    title: str
    name: str
    id_field: str
    answer: str
    arn: str = ""
    listed: str = ""
    list_operation: str = ""
    permissions: bool = False

    def __str__(self) -> str:
        return self.title


GROUP = Kind("group", "Group", "GroupName", "Group", listed="GroupList", list_operation="ListGroups")
FOLDER = Kind("folder", "Folder", "FolderId", "Folder", "folder", "FolderSummaryList", "ListFolders", True)
DATA_SOURCE = Kind(
    "data source", "DataSource", "DataSourceId", "DataSource", "datasource", "DataSources", "ListDataSources", True
)
DATA_SET = Kind("data set", "DataSet", "DataSetId", "DataSet", "dataset", "DataSetSummaries", "ListDataSets", True)
SCHEDULE = Kind("refresh schedule", "RefreshSchedule", "DataSetId", "RefreshSchedule")
ANALYSIS = Kind(
    "analysis", "Analysis", "AnalysisId", "Analysis", "analysis", "AnalysisSummaryList", "ListAnalyses", True
)
DASHBOARD = Kind(
    "dashboard", "Dashboard", "DashboardId", "Dashboard", "dashboard", "DashboardSummaryList", "ListDashboards", True
)
KINDS = (GROUP, FOLDER, DATA_SOURCE, DATA_SET, SCHEDULE, ANALYSIS, DASHBOARD)
"""In the order in which one needs the other."""


class Key(NamedTuple):
    """Which resource."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Resource:
    """One that is to be there, with what `Create…` takes of it beside account, id and tags."""

    key: Key
    request: Mapping[str, Any]
