"""Keys of pseudonyms rotate without anybody becoming two."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pyspark.sql import SparkSession

from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Named, closure_of
from event_assets_tests.examples import examples
from event_assets_tests.pipeline.pipeline import BY_PLACE, WITHOUT_ATTRIBUTION, Pipeline
from event_assets_tests.privacy.people import ask, events_of, naming, rows_of, run

pytestmark = pytest.mark.slow

ONE, BOTH = "one", json.dumps(["one", "two"])
TABLES = ("identities", "sessions", "users", "visitors", "user_history", "consent_receipts", "daily_metrics")


def keyed(pipeline: Pipeline, keys: str) -> Pipeline:
    """The pipeline with these keys from now on."""
    changed = {"pii_fields": ("user_id", "traits.email"), "pii_key": SecretStr(keys)}
    pipeline.settings = pipeline.settings.model_copy(update=changed)
    return pipeline


@examples(2)
@given(data=st.data())
def test_a_rotation_at_any_point_of_a_stream_gives_the_rows_of_one_that_always_had_both_keys(
    spark: SparkSession, data: st.DataObject
) -> None:
    lines = [line for line in events_of(range(1, 4)) if not line.startswith(b'{"event_id":"cut')]
    lines = data.draw(st.permutations(lines))
    cut = data.draw(st.integers(1, len(lines) - 1))
    with tempfile.TemporaryDirectory() as folder:
        rotated = keyed(Pipeline(spark, Path(folder) / "rotated"), ONE)
        rotated.put(lines[:cut])
        rotated.run(steps=WITHOUT_ATTRIBUTION)
        keyed(rotated, BOTH).put(lines[cut:])
        rotated.run(steps=WITHOUT_ATTRIBUTION)
        made: list[dict[str, list[dict[str, Any]]]] = []
        for keys in (BOTH, ONE):
            whole = keyed(Pipeline(spark, Path(folder) / f"{len(keys)}"), keys)
            whole.put(lines)
            whole.run(steps=WITHOUT_ATTRIBUTION)
            made.append({table: whole.rows(table, BY_PLACE) for table in TABLES})
        assert {table: rotated.rows(table, BY_PLACE) for table in TABLES} == made[0]
        assert [len(rows) for rows in made[0].values()] == [len(rows) for rows in made[1].values()]
        assert len({row["person_id"] for row in made[0]["identities"]}) == 3


@pytest.mark.representative
def test_a_person_is_found_and_erased_by_the_plain_id_whenever_the_keys_were_changed(
    spark: SparkSession, tmp_path: Path
) -> None:
    pipeline = keyed(Pipeline(spark, tmp_path), ONE)
    pipeline.put(events_of(range(1, 5)))
    pipeline.run()
    before = closure_of(pipeline.lake, ErasureRules.of(pipeline.settings), Named(users=("user-0001",)))
    ask(pipeline, 2)  # before the rotation, and worked off after it
    keyed(pipeline, BOTH)
    rules = ErasureRules.of(pipeline.settings)
    assert closure_of(pipeline.lake, rules, Named(users=("user-0001",))).devices == before.devices
    pipeline.run()
    after = closure_of(pipeline.lake, rules, Named(users=("user-0001",)))
    assert after.users == {rules.known_as("user-0001")} and after.devices == {rules.known_as("device-0001")}
    ask(pipeline, 1)
    assert run(pipeline).state == "done"
    left, gone = ({name for id_ in ids for name in rules.ever_known_as(id_)} for ids in (KEPT, GONE))
    rows = {name: "".join(lines) for name, lines in rows_of(pipeline).items()}
    assert naming(rows_of(pipeline), (1, 2)) == {}
    assert [name for name, text in rows.items() if any(id_ in text for id_ in gone)] == []
    assert sum(any(id_ in text for id_ in left) for text in rows.values()) > 5


KEPT, GONE = (
    [f"{kind}-{person:04}" for person in people for kind in ("user", "device")] for people in ((3, 4), (1, 2))
)
