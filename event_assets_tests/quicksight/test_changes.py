"""Planned, made, left, changed, put back, destroyed: a real client, and a server on loopback that keeps the account."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from event_assets.quicksight.changes import Change, apply, destroy, plan
from event_assets.quicksight.resources import wanted
from event_assets.quicksight.service import Service
from event_assets.quicksight.target import QuickSightError, RowRule, Target
from event_assets.rules.dashboard import Dashboard
from event_assets_tests.quicksight.conftest import ANALYSES
from event_assets_tests.quicksight.fake_quicksight import FakeQuickSight


def service_of(quicksight: FakeQuickSight, target: Target, patience: float = 900) -> Service:
    return Service(target, patience, lambda seconds: None, quicksight.client)


def planned(quicksight: FakeQuickSight, target: Target, dashboard: Dashboard) -> list[Change]:
    return plan(service_of(quicksight, target), wanted(dashboard, ANALYSES, target).resources)


def applied(quicksight: FakeQuickSight, target: Target, dashboard: Dashboard, *, restore: bool = False) -> int:
    return apply(
        service_of(quicksight, target), planned(quicksight, target, dashboard), lambda line: None, restore=restore
    )


def actions(changes: list[Change]) -> Counter[str]:
    return Counter(change.action for change in changes)


def retitled(dashboard: Dashboard) -> Dashboard:
    return dashboard.model_copy(
        update={"pages": (dashboard.pages[0].model_copy(update={"title": "New"}), *dashboard.pages[1:])}
    )


def test_what_is_applied_is_there_and_is_the_same_until_the_file_changes(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    first = planned(quicksight, target, dashboard)
    assert set(actions(first)) == {"create"} and not quicksight.named("Create")
    assert applied(quicksight, target, dashboard) == len(first)
    again = planned(quicksight, target, dashboard)
    assert set(actions(again)) == {"same"} and not any(change.drift for change in again)
    before = len(quicksight.named("Create")), len(quicksight.named("Update"))
    assert applied(quicksight, target, dashboard) == 0
    assert (len(quicksight.named("Create")), len(quicksight.named("Update"))) == before
    assert [str(c.key) for c in planned(quicksight, target, retitled(dashboard)) if c.action == "update"] == [
        "analysis ea-web",
        "dashboard ea-web",
    ]
    assert applied(quicksight, target, retitled(dashboard)) == 2
    made = quicksight.things["Dashboard"]["ea-web"]
    assert made["published"] == len(made["versions"]) == 2
    assert set(actions(planned(quicksight, target, retitled(dashboard)))) == {"same"}


def test_what_somebody_changed_is_shown_apart_and_put_back_only_when_asked(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    applied(quicksight, target, dashboard)
    quicksight.things["DataSet"]["ea-web-sessions"]["request"]["ImportMode"] = "DIRECT_QUERY"
    [drifted] = [change for change in planned(quicksight, target, dashboard) if change.drift]
    assert drifted.action == "same"
    assert drifted.drift == ("ImportMode: 'DIRECT_QUERY' instead of 'SPICE'",)
    assert applied(quicksight, target, dashboard) == 0
    assert applied(quicksight, target, dashboard, restore=True) == 1
    permissions = quicksight.things["Folder"]["ea-web"]["permissions"]
    del permissions[target.group_arn("ea-web-readers")]
    [drifted] = [change for change in planned(quicksight, target, dashboard) if change.drift]
    assert drifted.drift == ("Permissions: ea-web-readers may not what it should",)
    assert applied(quicksight, target, dashboard, restore=True) == 1
    assert target.group_arn("ea-web-readers") in permissions
    assert quicksight.things["DataSet"]["ea-web-sessions"]["request"]["ImportMode"] == "SPICE"


def test_a_creation_that_fails_shows_what_aws_says_with_the_id_and_is_made_anew_the_next_time(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    quicksight.fails["Dashboard"] = [{"Type": "COLUMN_TYPE_MISMATCH", "Message": "start_at is a text"}]
    with pytest.raises(QuickSightError, match=r"dashboard ea-web: CREATION_FAILED.*COLUMN_TYPE_MISMATCH start_at"):
        applied(quicksight, target, dashboard)
    changes = planned(quicksight, target, dashboard)
    assert [str(change.key) for change in changes if change.action != "same"] == ["dashboard ea-web"]
    assert changes[-1].action == "replace"
    assert applied(quicksight, target, dashboard) == 1
    assert set(actions(planned(quicksight, target, dashboard))) == {"same"}


def test_a_version_that_fails_is_not_published_and_is_tried_again(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    applied(quicksight, target, dashboard)
    quicksight.fails["Dashboard"] = [{"Type": "PARAMETER_NOT_FOUND", "Message": "PeriodFrom"}]
    with pytest.raises(QuickSightError, match="PARAMETER_NOT_FOUND PeriodFrom"):
        applied(quicksight, target, retitled(dashboard))
    assert quicksight.things["Dashboard"]["ea-web"]["published"] == 1
    [tried] = [
        change
        for change in planned(quicksight, target, dashboard)
        if change.action != "same" and change.key.kind.name == "Dashboard"
    ]
    assert tried.action == "update", "even of the version before: nobody knows what is there"
    assert applied(quicksight, target, retitled(dashboard)) == 1
    assert quicksight.things["Dashboard"]["ea-web"]["published"] == 3


@pytest.mark.parametrize(
    ("ingestion", "words"),
    [
        (
            {"IngestionStatus": "FAILED", "ErrorInfo": {"Type": "SOURCE_TIMEOUT_ERROR", "Message": "no answer"}},
            "no answer",
        ),
        ({"IngestionStatus": "RUNNING"}, "still RUNNING after"),
    ],
)
def test_data_that_cannot_be_read_or_takes_too_long_is_said(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard, ingestion: dict[str, object], words: str
) -> None:
    quicksight.ingestion = ingestion
    changes = planned(quicksight, target, dashboard)
    with pytest.raises(QuickSightError, match=f"data set ea-web-.*{words}"):
        apply(service_of(quicksight, target, patience=30), changes, lambda line: None)


def test_destroy_deletes_what_carries_our_tag_in_reverse_and_nothing_else(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    limited = replace(target, rows=(RowRule("germany", "country", ("DE", "AT")),))
    applied(quicksight, limited, dashboard)
    others = replace(target, owner="ea-web2", authors="people", readers="people")
    applied(quicksight, others, dashboard)
    made = [name.removeprefix("Create") for name in quicksight.named("Create") if "ea-web2" not in name]
    count = destroy(service_of(quicksight, limited), lambda line: None)
    deleted = [name.removeprefix("Delete") for name in quicksight.named("Delete")]
    assert sorted(deleted) == sorted(made) and count == len(made)
    kinds = [name.split()[0] for name in deleted]
    assert list(dict.fromkeys(kinds)) == [
        "Dashboard", "Analysis", "RefreshSchedule", "DataSet", "DataSource", "Folder", "Group",
    ]  # fmt: skip
    sets = [name for name in deleted if name.startswith("DataSet")]
    assert sets == sorted(sets, key=lambda name: "ea-web-rows-" in name), "rules of rows last: data sets name them"
    assert set(actions(planned(quicksight, others, dashboard))) == {"same"}
    assert set(actions(planned(quicksight, limited, dashboard))) == {"create"}


def test_what_is_not_wanted_any_more_is_deleted(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    applied(quicksight, target, dashboard)
    page = dashboard.pages[0]
    shorter = dashboard.model_copy(update={"pages": (page.model_copy(update={"rows": page.rows[:-1]}),)})
    direct = replace(target, import_mode="DIRECT_QUERY")
    gone = [str(change.key) for change in planned(quicksight, direct, shorter) if change.action == "delete"]
    assert "data set ea-web-analysis-lifecycle" in gone and "refresh schedule ea-web-sessions" in gone
    assert gone.index("refresh schedule ea-web-analysis-lifecycle") < gone.index("data set ea-web-analysis-lifecycle")
    applied(quicksight, direct, shorter)
    assert set(actions(planned(quicksight, direct, shorter))) == {"same"}


def test_what_is_not_ours_stops_everything_before_it_begins(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    quicksight.answer("CreateFolder", {"AwsAccountId": target.account, "FolderId": "ea-web", "Name": "Mine"})
    with pytest.raises(QuickSightError, match="not made by event-assets: folder ea-web"):
        applied(quicksight, target, dashboard)
    assert quicksight.named("Create") == ["CreateFolder ea-web"]


def test_groups_lose_what_they_may_not_any_more_and_people_keep_what_they_were_given(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    applied(quicksight, target, dashboard)
    permissions = quicksight.things["Dashboard"]["ea-web"]["permissions"]
    someone = target.arn("user", "default/someone")
    permissions[someone] = {"quicksight:DescribeDashboard"}
    applied(quicksight, replace(target, readers="analysts"), dashboard)
    assert set(permissions) == {target.group_arn("analysts"), target.group_arn("ea-web-authors"), someone}


def test_calls_that_are_too_many_are_made_again(
    quicksight: FakeQuickSight, target: Target, dashboard: Dashboard
) -> None:
    quicksight.throttles = 2
    assert set(actions(planned(quicksight, target, dashboard))) == {"create"}
    assert quicksight.throttles == 0
