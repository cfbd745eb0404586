"""A whole simulation against the real ingest API on the embedded stream: the truth is what is on the stream."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from event_assets.collector import WriteKeys
from event_assets.settings import Settings, load_settings
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.run import SimulationProgress, SimulationResult, run_simulation
from event_assets.simulator.truth import TruthLedger
from event_assets.streams import EventStream, open_stream
from event_assets_tests.collector.serving import serving

FAULTS = FaultRates(**{field.name: min(0.5, 20 * field.default) for field in fields(FaultRates)})  # type: ignore[operator]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(home=tmp_path_factory.mktemp("home"), collector_ip_rate=0)


@pytest.fixture(scope="module")
def stream(settings: Settings) -> Iterator[EventStream]:
    opened = open_stream(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def result(settings: Settings, stream: EventStream) -> SimulationResult:
    return _simulate(settings, stream, lambda progress: None)


def _simulate(settings: Settings, stream: EventStream, progress: object, seed: int = 7) -> SimulationResult:
    keys = WriteKeys.of(settings)
    key = keys.create("demo", "web")
    with serving(settings, stream, keys) as client:
        return run_simulation(
            settings,
            str(client.base_url),
            key,
            stream,
            seed=seed,
            events=1_500,
            seconds=1.0,
            faults=replace(FAULTS, burst=8.0, late_visit=0.1),
            progress=progress,  # type: ignore[arg-type]
        )


@pytest.fixture(scope="module")
def truth(result: SimulationResult) -> Iterator[TruthLedger]:
    with TruthLedger(result.truth) as ledger:
        yield ledger


@pytest.mark.slow
def test_the_api_says_about_every_event_what_the_truth_expects(truth: TruthLedger) -> None:
    wrong = """
        SELECT fault, fate, fate_reason, verdict, verdict_reason FROM submissions
        WHERE path = 'api' AND (
            (fate = 'rejected') <> (verdict = 'rejected') OR (fate = 'rejected' AND fate_reason <> verdict_reason)
        )
    """
    assert truth.query(wrong) == []


def test_the_counts_of_the_result_add_up(result: SimulationResult, truth: TruthLedger) -> None:
    assert result.unsent == 0
    assert result.sent == result.acknowledged + sum(result.rejected.values())
    on_stream = truth.query("SELECT count(*) FROM submissions WHERE verdict IN ('accepted', 'put')")[0][0]
    assert result.clean + result.duplicates + sum(result.quarantined.values()) == on_stream
    assert json.loads(json.dumps(result.as_dict()))["run_id"] == result.run_id


def test_every_kind_of_bad_input_is_among_them(result: SimulationResult) -> None:
    edge = {"malformed_json", "wrong_type", "missing_field", "invalid_value"}
    assert edge <= set(result.rejected)
    records = {"bad_encoding", "invalid_utf8", "not_an_object", "too_large", "too_deep", "plan_violation", "future"}
    assert records | edge <= set(result.quarantined)
    assert result.duplicates > 0


def test_what_was_acknowledged_is_on_the_stream_copy_by_copy(truth: TruthLedger, stream: EventStream) -> None:
    written = "written_id(event, event_id, anonymous_id, user_id, refused)"
    accepted = truth.query(f"SELECT {written} FROM submissions WHERE verdict = 'accepted'")
    expected = Counter(event_id for (event_id,) in accepted)
    found: Counter[str] = Counter()
    for line in _readable(stream):
        found[json.loads(line)["event_id"]] += 1
    assert {event_id: found[event_id] for event_id in expected} == dict(expected)


def _readable(stream: EventStream) -> Iterator[bytes]:
    for line in _lines(stream):
        try:
            if isinstance(json.loads(line), dict):
                yield line
        except ValueError:
            continue


def _lines(stream: EventStream) -> list[bytes]:
    from event_assets.contract.records import BadEncoding, unpack

    lines: list[bytes] = []
    for shard in stream.shards():
        after = None
        while records := stream.read(shard.shard_id, after).records:
            after = records[-1].sequence_number
            for record in records:
                try:
                    lines += unpack(record.data)
                except BadEncoding:
                    continue
    return lines


def test_nothing_is_sent_before_it_happens_and_the_last_has_just_happened(truth: TruthLedger) -> None:
    early, last = truth.query(
        "SELECT min(sent_at - occurred_at), max(sent_at) - max(occurred_at) FROM submissions WHERE path = 'api'"
    )[0]
    assert early >= 0
    assert last < 600


def test_stray_records_are_where_the_truth_says(truth: TruthLedger, stream: EventStream) -> None:
    places = truth.query("SELECT DISTINCT shard_id, sequence_number FROM submissions WHERE path = 'stream'")
    there = {
        (record.shard_id, record.sequence_number)
        for shard in stream.shards()
        for record in stream.read(shard.shard_id, None, max_records=100_000, max_bytes=10**9).records
    }
    assert set(places) <= there
    assert len(places) == 13


def test_a_second_run_adds_new_events_of_the_same_people(
    settings: Settings, stream: EventStream, result: SimulationResult
) -> None:
    seen: list[SimulationProgress] = []
    second = _simulate(settings, stream, seen.append)
    assert seen[-1].share == 1.0
    assert seen[-1].acknowledged == second.acknowledged
    with TruthLedger(result.truth) as ledger:
        runs = ledger.query("SELECT run_id FROM runs ORDER BY started_at")
        both = ledger.query(
            "SELECT count(*) FROM (SELECT event_id FROM submissions GROUP BY 1 HAVING count(DISTINCT run_id) > 1)"
        )
    assert [run_id for (run_id,) in runs] == [result.run_id, second.run_id]
    assert both == [(0,)]


def test_planted_losses_are_acknowledged_in_the_truth_and_not_on_the_stream(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, collector_ip_rate=0)
    stream, keys = open_stream(settings), WriteKeys.of(settings)
    key = keys.create("demo", "web")
    lossy = replace(FaultRates.none(), silent_loss=0.1)
    with serving(settings, stream, keys) as client:
        result = run_simulation(settings, str(client.base_url), key, stream, events=300, seconds=0.2, faults=lossy)
    with TruthLedger(result.truth) as ledger:
        lost = {row[0] for row in ledger.query("SELECT event_id FROM submissions WHERE fault = 'silent_loss'")}
    there = {json.loads(line)["event_id"] for line in _readable(stream)}
    assert lost
    assert lost.isdisjoint(there)
    stream.close()
