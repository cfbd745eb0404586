"""The asset of the segments says how many members they have, in numbers and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.online import open_online
from event_assets.settings import Settings
from event_assets_tests import engines
from event_assets_tests.defs.assets.test_product import words
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.test_segment_webhooks import SECRET
from event_assets_tests.pipeline.test_segments import Membership
from event_assets_tests.webhooks.receiving import receiving

SEGMENTS = {
    "buyers": "{name: buyers, who: {did: {event: purchase}, last: 2 days}, webhooks: [crm]}",
    "others": "{name: others, who: {not: {segment: buyers}}}",
    "gone": "{name: gone, who: {did: {event: teleport}}}",
}


@pytest.mark.slow
def test_it_tells_the_members_of_each_segment_draws_how_many_there_were_and_puts_them_where_others_find_them(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "segments").mkdir()
    for name, text in SEGMENTS.items():
        (tmp_path / "segments" / f"{name}.yaml").write_text(text)
    lake = Membership(spark, tmp_path / "lake")
    lake.add(
        *(enriched_event("purchase", anonymous_id=f"a{number}") for number in range(3)),
        enriched_event(when=at(days=5)),
        enriched_event("purchase", at(days=5), anonymous_id="a2"),
    )
    with engines.sail_server() as remote, receiving(404) as received:
        monkeypatch.setenv("EVENT_ASSETS_SEGMENT_WEBHOOKS", json.dumps({"crm": received.url}))
        monkeypatch.setenv("EVENT_ASSETS_SEGMENT_WEBHOOK_SECRETS", json.dumps({"crm": SECRET}))
        monkeypatch.setenv("EVENT_ASSETS_SEGMENT_WEBHOOK_NETWORKS", "127.0.0.0/8")
        settings = Settings(home=tmp_path, segments_dir=tmp_path / "segments", spark_remote=remote)
        job = build_defs(settings).resolve_implicit_global_asset_job_def()
        names = ("segment_memberships", "segment_memberships_online", "segment_webhooks")
        both, [telling] = [dg.AssetKey(name) for name in names[:2]], [dg.AssetKey(names[2])]
        done = job.execute_in_process(asset_selection=both)
        again = job.execute_in_process(asset_selection=both[1:])
        with pytest.raises(dg.Failure, match="The webhook crm does not take what it is told: it answers 404"):
            job.execute_in_process(asset_selection=[telling])
        [told] = job.execute_in_process(asset_selection=[telling]).get_asset_materialization_events()
    assert (told.materialization.metadata["changes"].value, len(received.bodies)) == (1, 2)
    assert received.messages[1]["data"]["changes"][0]["anonymous_ids"] == ["a2"]
    event, published = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["members"].value == {"buyers": 1, "gone": 0, "others": 2}
    assert metadata["dagster/row_count"].value == 7
    picture = metadata["picture"]
    assert isinstance(picture, dg.MarkdownMetadataValue)
    assert {"buyers", "others", "gone", "3 at the most", "2026-03-07"} <= set(words(picture))
    assert metadata["warnings"].value == "- gone: the tracking plan has no event 'teleport'"

    found = open_online(settings).find(["a0", "a1", "a2", "nobody"])
    since = {id_: {stay.name: stay.value for stay in stays} for id_, stays in found.facts.items()}
    others = "2026-03-04"
    assert since == {
        "a0": {"others": others},
        "a1": {"others": others},
        "a2": {"buyers": "2026-03-07"},
        "nobody": {},
    }
    assert published.materialization.metadata["is_new"].value is True
    [unchanged] = again.get_asset_materialization_events()
    assert unchanged.materialization.metadata["is_new"].value is False
