"""A person's page: found by any id of theirs, all that is theirs and nothing of others, and not for every role."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from event_assets.audit import audit_log
from event_assets.dashboards.app import create_app
from event_assets.dashboards.person import (
    consent_of,
    facts_of,
    outliers_of,
    persons_of,
    segments_of,
    timeline_of,
    traits_of,
)
from event_assets.privacy.needles import digests_of
from event_assets.settings import Settings
from event_assets_tests.dashboards.conftest import NOW, Site, roles

AWKWARD = 'o\'brien "x"\\ä'


@pytest.fixture
def site(new_site: Any) -> Site:
    """Two people of whom one has awkward ids, and a user id that is another's anonymous id."""
    made: Site = new_site()
    hour = dt.timedelta(hours=1)
    people = {"ann": (["ann", AWKWARD], ["d1", "d2"]), "bob": (["d1x"], ["d3", "ann"])}
    seen = {"first_seen_at": NOW - 30 * hour, "last_seen_at": NOW}
    made.put(
        "dim_users",
        [
            {"person_id": name, "user_ids": json.dumps(u, ensure_ascii=False), "anonymous_ids": json.dumps(a), **seen}
            for name, (u, a) in people.items()
        ],
    )
    sessions = [("s1", "ann", NOW - 30 * hour), ("s2", "ann", NOW - hour), ("s3", "bob", NOW - hour)]
    made.put(
        "fct_sessions",
        [
            {
                "session_id": id_,
                "person_id": who,
                "event_date": at.date(),
                "start_at": at,
                "end_at": at,
                "platform": "web",
            }
            for id_, who, at in sessions
        ],
    )
    events = [("e1", "d1", None, -30), ("e2", "d2", "ann", -1), ("e3", "d3", None, -1), ("e4", None, AWKWARD, -1)]
    made.put(
        "fct_events",
        [
            {
                "event_id": id_,
                "event": f"{id_}_done",
                "anonymous_id": anonymous,
                "user_id": user,
                "derived_at": NOW + hours * hour,
                "event_date": (NOW + hours * hour).date(),
            }
            for id_, anonymous, user, hours in events
        ],
    )
    made.put(
        "fct_conversions", [{"event_id": "e2", "event": "purchase", "person_id": "ann", "at": NOW, "revenue": 9.5}]
    )
    made.put(
        "dim_user_traits",
        [{"person_id": "ann", "trait": "plan", "value": '"pro"', "from_at": NOW, "is_current": True, "event_id": "e2"}],
    )
    answer = {"person_id": "ann", "purpose": "marketing", "answer": False, "answered_at": NOW, "is_current": True}
    asked = {"source": "banner", "text_version": "2026-09", "event": "consent_changed", "event_id": "e2"}
    made.put("dim_consent_receipts", [answer | asked | {"received_at": NOW}])
    made.put("dim_segment_memberships", [{"segment": "buyers", "person_id": "ann", "from_date": NOW.date()}])
    flags = {"first_at": NOW, "last_at": NOW, "actions": 20, "score": 1.5, "reasons": "[]", "why": "an even pace"}
    made.put(
        "dim_outlier_visitors",
        [
            {"anonymous_id": id_, "person_id": "ann", "is_outlier": is_outlier} | flags
            for id_, is_outlier in (("d1", True), ("d2", False))
        ],
    )
    return made


def test_a_person_is_found_by_every_id_of_theirs_and_by_no_part_of_one(site: Site) -> None:
    source = site.context.source
    found = {id_: {person.person_id for person in persons_of(source, id_)} for id_ in ("d2", AWKWARD, "d1", "ann")}
    assert found == {"d2": {"ann"}, AWKWARD: {"ann"}, "d1": {"ann"}, "ann": {"ann", "bob"}}
    assert [persons_of(source, id_) for id_ in ("d", "%", '"', "an", "", '","', 'ann","')] == [[]] * 7


def test_the_timeline_has_all_that_is_theirs_in_order_and_nothing_of_others(site: Site) -> None:
    source = site.context.source
    [ann] = persons_of(source, "d2")
    rows = timeline_of(source, ann).rows
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert rows[0][0] <= NOW
    assert sorted((row[1], row[2]) for row in rows) == [
        ("consent", "refused marketing"),
        ("conversion", "purchase"),
        ("event", "e1_done"),
        ("event", "e2_done"),
        ("event", "e4_done"),
        ("segment", "entered buyers"),
        ("session", "on web"),
        ("session", "on web"),
        ("trait", "plan"),
    ]
    assert [row[0] for row in traits_of(source, ann).rows] == ["plan"]
    assert consent_of(source, ann).rows == [("marketing", "refused", NOW, None, "banner", "2026-09")]
    assert outliers_of(source, ann).rows == [("d1", "an even pace", 1.5, NOW)]
    assert segments_of(source, ann).rows == [("buyers", NOW.date(), None)]
    assert {row[1] for row in facts_of(ann).rows} >= {"ann", AWKWARD, "d1", "d2"}


def looked_for(site: Site, role: str, id_: str, home: Path) -> Any:
    """What the page's callback answers a visitor of this role."""
    context = replace(site.context, role=roles()[role], settings=Settings(home=home))
    app = create_app(dict.fromkeys(roles(), context))
    asked = {
        "output": "person.children",
        "outputs": {"id": "person", "property": "children"},
        "inputs": [
            {"id": "person-find", "property": "n_clicks", "value": 1},
            {"id": "person-id", "property": "n_submit", "value": None},
        ],
        "changedPropIds": ["person-find.n_clicks"],
        "state": [{"id": "person-id", "property": "value", "value": id_}],
    }
    return app.server.test_client().post("/_dash-update-component", json=asked)


@pytest.mark.parametrize("role", roles())
def test_only_a_role_that_may_see_people_finds_somebody(
    site: Site, role: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    answer = looked_for(site, role, f" {AWKWARD} ", tmp_path)
    may = role == "data_engineer"
    assert answer.status_code == 200
    assert ("e4_done" in answer.text, "Nobody has this id" in answer.text) == (may, not may)
    entries = [*audit_log(Settings(home=tmp_path)).entries()]
    assert [(entry.action, entry.of) for entry in entries] == [("person_looked_for", "1 person")] * may
    kept = caplog.text + "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    names = {AWKWARD, *(digest.decode()[:12] for digest in digests_of([AWKWARD]))}
    assert not [name for name in names if name in kept], "nor a hash of who was looked for"


def test_nobody_is_looked_for_where_that_cannot_be_logged(site: Site, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("no folder")
    answer = looked_for(site, "data_engineer", AWKWARD, tmp_path)
    assert "The audit log cannot be written" in answer.text and "e4_done" not in answer.text
