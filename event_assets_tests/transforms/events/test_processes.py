"""Large batches are shared out to processes and come back as they would from one."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
import pytest

from event_assets.transforms.events.processes import over_processes


def doubled(times: int, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Each row's text so many times, and the process that did it."""
    texts = [value * times for value in batch.column("text").to_pylist()]
    yield pa.RecordBatch.from_pydict({"text": texts, "process": [os.getpid()] * len(texts)})


def named(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """What each row's process was told of its memory, and after how many new objects it looks for cycles."""
    told = [os.environ["MIMALLOC_PURGE_DELAY"]] * batch.num_rows
    yield pa.RecordBatch.from_pydict({"purge": told, "young": [gc.get_threshold()[0]] * batch.num_rows})


def of_frame(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows by way of a frame of pandas."""
    yield pa.RecordBatch.from_pandas(batch.to_pandas(), preserve_index=False)


def refusing(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    raise ValueError(f"cannot take {batch.num_rows} rows")
    yield


def rows(count: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"text": [f"{number:05}" * 2000 for number in range(count)]})


def test_a_large_batch_is_worked_on_elsewhere_and_keeps_its_order() -> None:
    batch = rows(600)
    made = pa.Table.from_batches(over_processes(partial(doubled, 2), [batch, batch], 2))
    assert made.column("text").to_pylist() == [value * 2 for value in batch.column("text").to_pylist()] * 2
    assert os.getpid() not in made.column("process").to_pylist()


def test_a_small_batch_stays_here() -> None:
    made = pa.Table.from_batches(over_processes(partial(doubled, 1), [rows(3)], 2))
    assert set(made.column("process").to_pylist()) == {os.getpid()}


def test_a_process_keeps_its_memory_though_the_engine_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMALLOC_PURGE_DELAY", "0")
    made = pa.Table.from_batches(over_processes(named, [rows(600)], 2))
    assert set(made.column("purge").to_pylist()) == {"1000"}
    assert set(made.column("young").to_pylist()) == {100_000}


def test_a_process_starts_without_pandas_and_a_function_that_uses_it_has_it() -> None:
    batch = rows(600)
    made = pa.Table.from_batches(over_processes(of_frame, [batch], 2))
    assert made.column("text").to_pylist() == batch.column("text").to_pylist()
    code = "import sys; from event_assets.transforms.events import processes as p; p._start_without_pandas()"
    ends = "import pyarrow as pa; pa.array(['a']); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", f"{code}; {ends}"]).returncode == 0


@pytest.mark.parametrize("function", ["clean", "enrich"])
def test_what_a_process_runs_imports_nothing_of_spark(function: str) -> None:
    code = f"import sys, event_assets.transforms.events.{function}; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_error_is_raised_where_the_batch_came_from() -> None:
    with pytest.raises(RuntimeError, match="ValueError: cannot take"):
        list(over_processes(refusing, [rows(600)], 2))


@pytest.mark.slow
def test_no_more_processes_work_than_were_asked_for_however_many_threads_ask() -> None:
    def worked_on(_: int) -> set[int]:
        made = pa.Table.from_batches(over_processes(partial(doubled, 1), [rows(600)], 2))
        return set(made.column("process").to_pylist())

    with ThreadPoolExecutor(4) as threads:
        assert len(set().union(*threads.map(worked_on, range(4)))) <= 2
