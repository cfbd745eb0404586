"""A Kafka topic in the place of the embedded log gives the same rows, also where it gets partitions on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from event_assets_tests.emulators.kafka import KafkaBroker
from event_assets_tests.end_to_end.profile import Profile
from event_assets_tests.end_to_end.visits import DAYS, Visits
from event_assets_tests.end_to_end.whole_run import BY_PLACE, OF_PLACES, books, days_ago, lake_rows, warehouse_rows
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow


class OnKafka(Profile):
    """The local profile with its stream on a broker."""

    def split_a_shard(self) -> None:
        assert self.settings.kafka_brokers is not None
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_brokers})
        admin.create_partitions([NewPartitions(self.settings.stream_name, 5)])[self.settings.stream_name].result()


def test_kafka_gives_the_rows_of_the_embedded_log(
    tmp_path: Path, postgres_url: str, kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_day = str(days_ago(DAYS))
    local = Profile(
        monkeypatch,
        {"WAREHOUSE_URL": new_database(postgres_url), "HOME": str(tmp_path / "local"), "FIRST_DAY": first_day},
    )
    on_kafka = OnKafka(
        monkeypatch,
        {
            "WAREHOUSE_URL": new_database(postgres_url),
            "HOME": str(tmp_path / "kafka"),
            "FIRST_DAY": first_day,
            "STREAM_KIND": "kafka",
            "KAFKA_BROKERS": kafka_broker.brokers,
        },
    )
    visits = Visits()
    for profile in (on_kafka, local):
        profile.put(visits.first())
        profile.materialise_everything()
        profile.split_a_shard()
        profile.put(visits.second())
        profile.materialise_everything()
    counted = books(lake_rows(on_kafka.settings))
    assert counted == books(lake_rows(local.settings)) and counted["pending"] == 0
    in_lake = lake_rows(on_kafka.settings, BY_PLACE)
    for table, rows in lake_rows(local.settings, BY_PLACE).items():
        assert table in OF_PLACES or in_lake[table] == rows, table
    assert warehouse_rows(on_kafka.settings, BY_PLACE) == warehouse_rows(local.settings, BY_PLACE)
