"""The job sends real traffic to a real ingest API, as launched from Dagster's UI."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from event_assets.collector.keys import WriteKeys
from event_assets.contract.records import BadEncoding, unpack
from event_assets.definitions import build_defs
from event_assets.settings import Settings, load_settings
from event_assets.simulator.truth import TruthLedger
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.serving import serving

EVENT_ID = re.compile(rb'"event_id":"([^"]+)"')


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, collector_ip_rate=0)


def execute(settings: Settings, raise_on_error: bool = True, **config: Any) -> dg.ExecuteInProcessResult:
    job = build_defs(settings).resolve_job_def("simulate_traffic")
    return job.execute_in_process({"ops": {"send_traffic": {"config": config}}}, raise_on_error=raise_on_error)


def test_a_run_sends_what_its_config_asks_for_and_writes_the_truth(settings: Settings) -> None:
    stream = open_stream(settings)
    with serving(settings, stream) as client:
        done = execute(
            settings,
            endpoint=str(client.base_url),
            events=300,
            seconds=0.2,
            seed=3,
            rates={"duplicate": 0.5},
            anomalies=["bot_wave"],
        )
    output = done.output_for_node("send_traffic")
    assert (output["seed"], output["anomalies"]) == (3, 1)
    assert output["duplicates"] > 20
    (metadata,) = (
        event.step_output_data.metadata for event in done.events_for_node("send_traffic") if event.is_successful_output
    )
    assert metadata["acknowledged"].value == output["acknowledged"]
    with TruthLedger(settings.home / "truth.db") as truth:
        written = "written_id(event, event_id, anonymous_id, user_id, refused)"
        accepted = {row[0] for row in truth.query(f"SELECT {written} FROM submissions WHERE verdict = 'accepted'")}
    assert accepted <= ids_on(stream)
    stream.close()


def ids_on(stream: EventStream) -> set[str]:
    """The ids of all events that can be read; some stray records cannot."""
    ids = set()
    for shard in stream.shards():
        for record in stream.read(shard.shard_id, None, max_records=100_000, max_bytes=10**9).records:
            with contextlib.suppress(BadEncoding):
                ids |= {found.decode() for line in unpack(record.data) for found in EVENT_ID.findall(line)}
    return ids


def test_the_write_key_of_a_run_is_revoked_when_it_ends(settings: Settings) -> None:
    with serving(settings) as client:
        execute(settings, endpoint=str(client.base_url), events=50, seconds=0.1)
    (source,) = WriteKeys.of(settings).sources()
    assert source.revoked_at is not None


def test_a_wrong_rate_fails_the_run_with_the_rule(settings: Settings) -> None:
    with pytest.raises(dg.Failure, match="there is no such rate"):
        execute(settings, endpoint="http://127.0.0.1:1", rates={"duplicates": 0.5})


def test_without_a_stack_and_an_endpoint_the_run_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(dg.Failure, match="Start one"):
        execute(settings)
