"""What the collector tells: the gains of a minute, and on Lambda what is wrong at once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.buffer import BufferBudget
from event_assets.collector.metrics import CollectorMetrics
from event_assets.collector.telling import Telling
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets.telemetry.emission import lines_since
from event_assets.telemetry.traces import Traces
from event_assets_tests.collector.faults import FaultyStream
from event_assets_tests.collector.serving import event, serving
from event_assets_tests.telemetry.telling import Lines


def told_of(tmp_path: Path) -> list[dict[str, object]]:
    return list(lines_since(tmp_path / "metrics", 0))


def test_a_collector_tells_what_it_took_and_what_it_did_not(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, installation="shop")
    stream = open_stream(settings)
    stream.create(2)
    faulty = FaultyStream(stream)
    with serving(settings, faulty) as client:
        client.headers["x-write-key"] = WriteKeys.of(settings).create("site", "web")
        client.post("/v1/events", json=[event(1), event(2), {"event": "no id"}])
        faulty.failing = "all"
        client.post("/v1/events", json=event(3))
    (line,) = told_of(tmp_path)
    assert (line["EventsAccepted"], line["EventsRejected"], line["EventsNotTaken"]) == (2, 1, 1)
    assert (line["Installation"], line["Service"], line["StreamFailing"]) == ("shop", "collector", [1.0])
    assert isinstance(line["RequestSeconds"], list) and len(line["RequestSeconds"]) == 2


def test_what_was_sent_with_each_key_is_told_by_the_key_s_id_whatever_became_of_it(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    stream = open_stream(settings)
    stream.create(1)
    keys = WriteKeys.of(settings)
    shop, app, slow = (keys.create(name, "web", events_per_second=rate) for name, rate in RATES.items())
    body = json.dumps([event(1), event(2), {"event": "no id"}])
    with serving(settings, stream) as client:
        for _ in range(2):
            assert client.post("/v1/events", content=body, headers={"x-write-key": shop}).status_code == 207
        packed = {"x-write-key": app, "content-encoding": "gzip"}
        client.post("/v1/events", content=gzip.compress(body.encode()), headers=packed)
        said = [client.post("/v1/events", content=body, headers={"x-write-key": slow}).status_code for _ in range(2)]
        assert said == [207, 429]
        client.post("/v1/events", content=body, headers={"x-write-key": "ea_nobody_has_it"})
        exposed = client.get("/metrics").text
    (line,) = told_of(tmp_path)
    of_shop, of_app, of_slow = (key.split("_")[1] for key in (shop, app, slow))
    assert line["EventsByKey"] == {of_shop: 6, of_app: 3, of_slow: 3}
    assert line["BytesByKey"] == {of_shop: 2 * len(body), of_app: len(body), of_slow: len(body)}
    assert f'collector_key_events_total{{key="{of_shop}"}} 6.0' in exposed
    assert shop not in exposed and shop not in json.dumps(line), "an id is no key"


RATES = {"shop": None, "app": None, "slow": 0.001}


def test_an_event_is_acknowledged_though_it_cannot_be_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("another version of the library")

    monkeypatch.setattr(Traces, "collected", broken)
    settings = load_settings(home=tmp_path, otlp_endpoint="http://127.0.0.1:1", trace_share=1.0)
    stream = open_stream(settings)
    stream.create(1)
    with serving(settings, stream) as client:
        client.headers["x-write-key"] = WriteKeys.of(settings).create("site", "web")
        assert client.post("/v1/events", json=event(1)).status_code == 200


def test_a_count_is_told_once_and_one_that_does_not_grow_is_not() -> None:
    lines = Lines()
    metrics = CollectorMetrics(BufferBudget(100))
    telling = Telling(metrics, lines.meter)
    metrics.accepted.inc(5)
    telling.tell()
    telling.tell()
    metrics.accepted.inc(2)
    telling.tell()
    assert [line.get("EventsAccepted") for line in lines.lines] == [5, 2]


@pytest.mark.parametrize(("slow", "shown"), [(1, 1), (30, 3)])
def test_a_hundred_values_stand_for_the_times_of_any_number_of_requests(slow: int, shown: int) -> None:
    lines = Lines()
    metrics = CollectorMetrics(BufferBudget(100))
    for _ in range(1_000 - slow):
        metrics.request_seconds.observe(0.004)
    for _ in range(slow):
        metrics.request_seconds.observe(30.0)
    Telling(metrics, lines.meter).tell()
    (line,) = lines.lines
    assert len(line["RequestSeconds"]) <= 100 and line["RequestSeconds"][-1] == 10.0
    assert line["RequestSeconds"].count(10.0) == shown


def test_what_may_be_frozen_tells_at_once_what_is_wrong_and_the_rest_once_a_minute() -> None:
    lines = Lines()
    metrics = CollectorMetrics(BufferBudget(100))
    telling = Telling(metrics, lines.meter)
    metrics.accepted.inc()
    telling.after_request()
    assert lines.lines == []
    metrics.retried.inc()
    telling.after_request()
    assert [(line["EventsAccepted"], line["EventsNotTaken"]) for line in lines.lines] == [(1, 1)]
    metrics.accepted.inc()
    lines.now += 61
    telling.after_request()
    assert lines.lines[-1]["EventsAccepted"] == 1
