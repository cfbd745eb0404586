"""An event's way is one trace, though nobody is sent its ids; and traces of a share of records are of that share."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.collector import WriteKeys
from event_assets.pipeline.following import Following
from event_assets.settings import Settings, SettingsError, load_settings
from event_assets.streams import EventStream
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.kafka import KafkaStream
from event_assets.streams.kafka_connection import KafkaConnection
from event_assets.streams.kinesis import KinesisStream
from event_assets.telemetry.process import tracing
from event_assets.telemetry.traces import Place, open_traces
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.collector.serving import event, serving
from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.emulators.otlp import otlp
from event_assets_tests.pipeline.pipeline import Pipeline


@pytest.fixture(params=["embedded", "kinesis", "kafka"])
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStream]:
    """A stream of each kind."""
    made: EventStream
    if request.param == "kinesis":
        made = KinesisStream(f"events-{uuid.uuid4().hex}", endpoint_url=request.getfixturevalue("kinesis_emulator"))
    elif request.param == "kafka":
        broker: KafkaBroker = request.getfixturevalue("kafka_broker")
        made = KafkaStream(f"events-{uuid.uuid4().hex}", KafkaConnection(broker.brokers))
    else:
        made = EmbeddedStream(tmp_path / "stream.db", "events")
    made.create(2)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.representative
def test_the_way_of_an_event_from_the_collector_to_the_warehouse_is_one_trace(
    spark: SparkSession, warehouse: Warehouse, stream: EventStream, tmp_path: Path
) -> None:
    pipeline = Pipeline(spark, tmp_path / "pipeline")
    pipeline.stream = stream
    with otlp() as collector:
        settings = load_settings(home=tmp_path, otlp_endpoint=collector.url, trace_share=1.0)
        key = WriteKeys.of(settings).create("site", "web")
        with serving(settings, pipeline.stream) as client:
            answer = client.post("/v1/events", json=event(1), headers={"x-write-key": key})
            assert answer.status_code == 200
        way = open_traces(settings, "dagster")
        assert way is not None
        with tracing(way):
            Following(pipeline.refresh(), warehouse, 36_000).take_in()
        way.flush()
    spans = {span.name: span for span in collector.spans}
    names = ["collect", "land raw_events", "refresh clean_events", "refresh enriched_events", "load fct_events"]
    assert [name for name in spans if name in names] == names
    assert len({span.trace_id for span in collector.spans}) == 1
    first = spans["collect"]
    assert first.parent_id == "" and {span.parent_id for span in collector.spans if span is not first} == {
        first.span_id
    }
    assert (first.service, spans["load fct_events"].service) == ("event-assets-collector", "event-assets-dagster")
    assert [spans[name].ended for name in names] == sorted(spans[name].ended for name in names)
    assert "a-1" not in str(collector.spans) and "e-1" not in str(collector.spans)


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 10**56))
def test_a_place_always_gives_the_same_ids_that_opentelemetry_takes(stream: str, shard: str, number: int) -> None:
    ids = Place(stream, shard, str(number)).ids
    assert ids == Place(stream, shard, str(number)).ids
    assert 0 < ids[0] < 2**128 and 0 < ids[1] < 2**64


def test_a_share_of_records_is_traced_and_it_is_the_same_one_for_whoever_asks() -> None:
    one, other = (open_traces(Settings(otlp_endpoint="http://127.0.0.1:1", trace_share=0.1), name) for name in "ab")
    assert one is not None and other is not None
    places = [Place("events", "shardId-0", str(number)) for number in range(5_000)]
    traced = [place.is_of(one.share) for place in places]
    assert traced == [place.is_of(other.share) for place in places]
    assert 400 < sum(traced) < 600


def test_nothing_is_traced_where_traces_go_nowhere_and_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert open_traces(Settings(), "collector") is None
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match="tracing"):
        open_traces(Settings(otlp_endpoint="http://127.0.0.1:4318"), "collector")
