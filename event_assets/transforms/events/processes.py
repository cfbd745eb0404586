"""Runs a Python function over large Arrow batches in processes of its own, for engines that run Python in only one.

Sail runs Python functions inside its own process, one at a time; Apache Spark has a process per core already. Small
batches stay where they are: starting a process takes longer than they do. A worker ends when its standard input does,
so none outlives the process that started it, however that ends.

`python -m event_assets.transforms.events.processes` is such a worker.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import pyarrow as pa

BatchFunction = Callable[[pa.RecordBatch], Iterator[pa.RecordBatch]]

LARGE_BYTES = 256_000
"""Size from which a batch is shared out."""
_CHUNK_BYTES = 500_000
_LENGTH = struct.Struct("<Q")
_ROWS, _NO_ROWS, _ERROR = b"=", b"-", b"!"
"""What an answer begins with."""
_KEEPS_MEMORY = {
    "MIMALLOC_PURGE_DELAY": "1000",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "MALLOC_TOP_PAD_": "33554432",
}
"""A worker needs the same memory for each chunk: getting it back from the system is a sixth of its time. That of a
chunk bounds it; the engine's own settings, which give memory back at once, are for its thousands of files."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""There are as many workers as cores; NumPy's own threads would wait beside them, busily at first."""
_YOUNG_OBJECTS = 100_000
"""Python looks for cycles, of which there are none here, after so many new objects: 700 is a tenth of the time."""

_turn = threading.Condition()
_idle: list[_Worker] = []
_busy: list[_Worker] = []


def over_processes(
    function: BatchFunction, batches: Iterable[pa.RecordBatch], processes: int
) -> Iterator[pa.RecordBatch]:
    """What `function` gives for the batches, in the order of their rows.

    It must be picklable and look at each row alone. No more is worked on ahead than keeps the processes busy, and no
    more processes work than so many, however many threads ask.
    """
    if processes <= 1:
        for batch in batches:
            yield from function(batch)
        return
    pickled = pickle.dumps(function)
    ahead: deque[Future[list[pa.RecordBatch]]] = deque()
    with ThreadPoolExecutor(processes) as threads:
        for batch in batches:
            if batch.nbytes < LARGE_BYTES:
                yield from _finished(ahead, 0)
                yield from function(batch)
                continue
            rows = max(1, batch.num_rows * _CHUNK_BYTES // batch.nbytes)
            for start in range(0, batch.num_rows, rows):
                ahead.append(threads.submit(_in_process, pickled, batch.slice(start, rows), processes))
                yield from _finished(ahead, 2 * processes)
        yield from _finished(ahead, 0)


def _finished(ahead: deque[Future[list[pa.RecordBatch]]], left: int) -> Iterator[pa.RecordBatch]:
    """The results of the oldest tasks, until so many are left."""
    while len(ahead) > left:
        yield from ahead.popleft().result()


def _in_process(function: bytes, chunk: pa.RecordBatch, processes: int) -> list[pa.RecordBatch]:
    with _turn:
        _turn.wait_for(lambda: len(_busy) < processes)
        worker = _idle.pop() if _idle else _Worker()
        _busy.append(worker)
    try:
        result = worker.run(function, chunk)
        _idle.append(worker)
        return result
    finally:
        with _turn:
            _busy.remove(worker)
            _turn.notify()


class _Worker:
    """One process, asked for one chunk at a time. A worker that failed is not used again."""

    def __init__(self) -> None:
        answers, theirs = os.pipe()  # not standard output, which any module may print to
        command = [sys.executable, "-P", "-m", "event_assets.transforms.events.processes", str(theirs)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **_KEEPS_MEMORY,
            **_ONE_THREAD,
        }
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(theirs,), env=environment)
        os.close(theirs)
        self._knows = b""
        self._answers = os.fdopen(answers, "rb")

    def run(self, function: bytes, chunk: pa.RecordBatch) -> list[pa.RecordBatch]:
        assert self._process.stdin is not None
        _send(self._process.stdin, b"" if function == self._knows else function)
        self._knows = function
        _write_rows(self._process.stdin, [chunk])
        kind = self._answers.read(1)
        if kind == _ROWS:
            return _read_rows(self._answers)
        if kind == _NO_ROWS:
            return []
        if kind == _ERROR:
            error: Exception = pickle.loads(_receive(self._answers) or b"")
            raise error
        raise RuntimeError(f"a decoding process ended with code {self._process.wait()}")


def _write_rows(pipe: BinaryIO | Any, batches: list[pa.RecordBatch]) -> None:
    """Without putting them together in memory first: they are ten times as large as what they are made of."""
    with pa.ipc.new_stream(pa.PythonFile(pipe, "w"), batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    pipe.flush()


def _read_rows(pipe: BinaryIO | Any) -> list[pa.RecordBatch]:
    with pa.ipc.open_stream(pa.PythonFile(pipe, "r")) as reader:
        return list(reader)


def _send(pipe: BinaryIO | Any, data: Any) -> None:
    view = memoryview(data)
    pipe.write(_LENGTH.pack(view.nbytes))
    pipe.write(view)
    pipe.flush()


def _receive(pipe: BinaryIO | Any) -> memoryview | None:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return memoryview(pipe.read(_LENGTH.unpack(head)[0]))


class _NoPandas:
    """Finds that pandas is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _start_without_pandas() -> None:
    """Arrow imports pandas for the first list that it makes an array of, to see that the list is none of its kinds: a
    third of what it costs to start a worker. So it is asked while there is none. Whoever imports it later has it."""
    hidden: Any = _NoPandas()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hidden)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    function: BatchFunction | None = None
    gc.set_threshold(_YOUNG_OBJECTS)
    _start_without_pandas()
    while (pickled := _receive(requests)) is not None:
        [chunk] = _read_rows(requests)
        try:
            if pickled:  # else it is that of the chunk before
                function = pickle.loads(pickled)
            assert function is not None
            made = list(function(chunk))
        except Exception as error:  # it is raised again where the chunk came from
            answers.write(_ERROR)
            _send(answers, pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}")))
            continue
        answers.write(_ROWS if made else _NO_ROWS)
        if made:
            _write_rows(answers, made)
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, os.fdopen(int(sys.argv[1]), "wb"))
