"""What other people's SDKs send is page views, sessions and persons, each once, by whatever way it came."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser
from pyspark.sql import SparkSession

from event_assets_tests.client_sdks.conftest import Collected
from event_assets_tests.collector.serving import written
from event_assets_tests.modelling import Model

ON_PAGES = ("segment", "rudder", "jitsu", "snowplow", "posthog", "amplitude", "mixpanel")
LAST = dict.fromkeys(("posthog", "amplitude", "mixpanel"), "Order Completed") | {"snowplow": "order_completed"}
"""What a page tells after its view; of others their group."""
ON_SERVERS = ("segment", "rudder", "snowplow", "posthog")
"""Those of which Python's and Node's tell of a page, and send again what was answered and lost."""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.release
def test_each_visit_is_one_page_view_in_one_session_and_all_are_one_person(
    on_pages: Collected, browser: Browser, spark: SparkSession, tmp_path: Path
) -> None:
    devices: dict[str, str] = {}

    def has_told(sdk: str) -> bool:
        """Whether the page's last events have come, of the device that none of the pages before had."""
        new = [each for each in on_pages.events().values() if each.get("anonymous_id") not in {*devices.values(), None}]
        names = {each["event"] for each in new}
        if not {"page_view", LAST.get(sdk, "group")} <= names:
            return False
        views = [each for each in new if each["event"] == "page_view"]
        devices[sdk] = views[0]["anonymous_id"]
        return any(each.get("user_id") == "u-1" for each in new)

    for sdk in ON_PAGES:
        on_pages.visit(browser, sdk, lambda sdk=sdk: sdk in devices or has_told(sdk))  # type: ignore[misc]
    for sdk in ON_SERVERS:
        for program in ("python", "node"):
            on_pages.run(program, sdk, "lost")
    model = Model(spark, tmp_path / "model")
    model.folder.mkdir()
    today = dt.datetime.now(dt.UTC).date()
    modelled = model.run(written(on_pages.stream), first_day=str(today - dt.timedelta(days=1)))
    assert modelled.reconciliation.reasons == {}
    assert modelled.reconciliation.duplicates >= len(ON_SERVERS) * 2

    views = [row for row in model.rows("page_views", "anonymous_id", "url") if row["url"]]  # others are of screens
    shown = [
        (parse_qs(urlsplit(row["url"]).query)["sdk"], row["anonymous_id"]) for row in views if "sdk=" in row["url"]
    ]
    assert sorted(shown, key=str) == sorted((([sdk], device) for sdk, device in devices.items()), key=str)
    assert len(views) - len(shown) == len(ON_SERVERS) * 2

    sessions = model.rows("sessions", "anonymous_id", "source")
    begun = [(row["anonymous_id"], row["source"]) for row in sessions if row["anonymous_id"] in devices.values()]
    assert sorted(begun) == sorted((device, "news") for device in devices.values())

    persons = {row["id"]: row["person_id"] for row in model.rows("identities", "id", "person_id")}
    alone = devices.pop("snowplow")  # its SDK has no call that says who somebody is
    assert {persons[each] for each in (*devices.values(), "a-1")} == {persons["u-1"]} != {persons[alone]}
