"""One in twenty of many people are erased: no byte of them is left, and of everybody else every row is as it was.

`python -m event_assets_tests.privacy.test_proof 20000 1000` does it with as many people as it is told.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.importing import StreamSink
from event_assets.privacy.closure import Named
from event_assets.privacy.requests import request_erasure
from event_assets_tests.engines import sail
from event_assets_tests.pipeline.pipeline import Pipeline
from event_assets_tests.privacy.people import event, run

EVENTS_EACH = 50
GONE = "gone-"
"""What every id and address of those who are erased begins with, and nobody else's."""
COUNTED = {"event_ids", "event_ledger", "event_days", "raw_events"}
"""Tables whose rows are not of one person, or name nobody in clear."""


def lines_of(people: int, gone: int) -> Iterator[list[bytes]]:
    """The events of each of so many people, of whom so many are erased later."""
    for person in range(people):
        who = f"{GONE if person < gone else ''}{person:05}"
        user, device = f"{who}-user", f"{who}-device"
        lines = []
        for number in range(EVENTS_EACH - 2):
            known = user if number > 3 else None
            at = (1 + number % 5, 8 + number % 9, number % 60)
            page = {"url": f"https://shop.example/{number % 7}", "title": "A page of the shop"}
            lines.append(event(person * 100 + number, known, device, at=at, page=page))
        mail, bought = {"email": f"{who}@mail.example"}, {"order_id": f"{who}-order", "revenue": 3.5}
        lines.append(event(person * 100 + 98, user, device, "identify", at=(5, 20, 0), traits=mail))
        lines.append(event(person * 100 + 99, user, device, "purchase", at=(5, 20, 1), properties=bought))
        yield lines


def checksums(pipeline: Pipeline) -> dict[str, tuple[int, int, int]]:
    """Of each table: rows that name somebody of those who are erased, the other rows, and what these sum up to."""
    sums = {}
    for spec in LAKE_TABLES:
        table = pipeline.lake.table(spec.name)
        if not table.exists():
            continue
        rows = table.snapshot().arrow()
        theirs = pa.array([False] * rows.num_rows)
        for field in rows.schema:
            if pa.types.is_string(field.type) or pa.types.is_binary(field.type):
                texts = rows[field.name].cast(pa.binary())
                theirs = pc.or_(theirs, pc.fill_null(pc.match_substring(texts, GONE), False).combine_chunks())
        others = rows.filter(pc.invert(theirs)).to_pandas().astype(str)
        total = int(pd.util.hash_pandas_object(others, index=False).sum()) if len(others) else 0
        sums[spec.name] = (rows.num_rows - len(others), len(others), total)
    return sums


def files_naming(folder: Path) -> list[str]:
    """The files whose bytes name one of those who are erased, as they are."""
    return [path.name for path in folder.rglob("*") if path.is_file() and GONE.encode() in path.read_bytes()]


def prove(spark: SparkSession, home: Path, people: int, gone: int) -> None:
    """Erases so many of so many people, and tries all that could bring them back."""

    def done(what: str) -> None:
        print(f"{time.perf_counter() - began:6.0f} s  {what}", flush=True)

    began = time.perf_counter()
    pipeline = Pipeline(spark, home)
    for lines in lines_of(people, gone):
        pipeline.put(lines)
    pipeline.run()
    before, stream = checksums(pipeline), (home / "stream.db").read_bytes()
    done(f"{people * EVENTS_EACH} events of {people} people are known")
    for person in range(gone):
        named = Named(users=(f"{GONE}{person:05}-user",))
        request_erasure(pipeline.lake, pipeline.settings, named, pd.Timestamp.now("UTC").to_pydatetime())
    done(f"{gone} requests are made")
    outcome = run(pipeline)
    after = checksums(pipeline)
    done(f"erased and scanned: {outcome.note}")

    assert outcome.state == "done", outcome.note
    assert outcome.details["events"] == gone * EVENTS_EACH
    assert outcome.details["scan"]["found"] == outcome.details["scan"]["unread"] == {}
    assert files_naming(home) == []
    assert before["enriched_events"][0] == gone * EVENTS_EACH
    assert {name: sums for name, sums in after.items() if sums[0]} == {}
    for table in after.keys() - COUNTED:
        assert after[table][1:] == before[table][1:], table

    pipeline.run(rebuild=True)
    theirs = [line for lines in lines_of(gone, gone) for line in lines]
    assert StreamSink(pipeline.settings, pipeline.stream).write(theirs).dropped == len(theirs)
    pipeline.stream.close()
    for path in home.glob("stream.db*"):
        path.unlink()
    (home / "stream.db").write_bytes(stream)
    shutil.rmtree(home / "lake" / "raw_events")
    again = Pipeline(spark, home)
    again.run(rebuild=True)
    back = checksums(again)
    assert {name: sums for name, sums in back.items() if sums[0]} == {}
    assert back["enriched_events"][1] == (people - gone) * EVENTS_EACH
    done("made again, imported again and landed again: nobody came back")


@pytest.mark.slow
def test_one_in_twenty_of_many_people_is_gone_and_of_the_others_every_row_is_as_it_was(
    spark: SparkSession, tmp_path: Path
) -> None:
    prove(spark, tmp_path / "home", people=2_000, gone=100)


if __name__ == "__main__":
    with sail() as engine, tempfile.TemporaryDirectory() as folder:
        prove(engine, Path(folder) / "home", *map(int, sys.argv[1:3]))
