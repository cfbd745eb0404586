"""Runs a Python function over large Arrow batches in processes of its own, for engines that run Python in only one.

Sail runs Python functions inside its own process, one at a time; Apache Spark has a process per core already. Small
batches stay where they are: starting a process takes longer than they do. A worker ends when its standard input does,
so none outlives the process that started it, however that ends.

`python -m event_assets.transforms.processes` is such a worker.
"""

from __future__ import annotations

import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import pyarrow as pa

BatchFunction = Callable[[pa.RecordBatch], Iterator[pa.RecordBatch]]

LARGE_BYTES = 4_000_000
"""Size from which a batch is shared out."""
_CHUNK_BYTES = 1_000_000
_LENGTH = struct.Struct("<Q")

_lock = threading.Lock()
_idle: list[_Worker] = []


def over_processes(function: BatchFunction, batch: pa.RecordBatch, processes: int) -> Iterator[pa.RecordBatch]:
    """What `function` gives for a batch, in the order of its rows. It must be picklable and look at each row alone."""
    if processes <= 1 or batch.nbytes < LARGE_BYTES:
        yield from function(batch)
        return
    rows = max(1, batch.num_rows * _CHUNK_BYTES // batch.nbytes)
    chunks = [batch.slice(start, rows) for start in range(0, batch.num_rows, rows)]
    pickled = pickle.dumps(function)
    with ThreadPoolExecutor(processes) as threads:
        for start in range(0, len(chunks), 2 * processes):
            for done in threads.map(lambda chunk: _in_process(pickled, chunk), chunks[start : start + 2 * processes]):
                yield from done


def _in_process(function: bytes, chunk: pa.RecordBatch) -> list[pa.RecordBatch]:
    with _lock:
        worker = _idle.pop() if _idle else _Worker()
    result = worker.run(function, chunk)
    with _lock:
        _idle.append(worker)
    return result


class _Worker:
    """One process, asked for one chunk at a time. A worker that failed is not used again."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "event_assets.transforms.processes"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, function: bytes, chunk: pa.RecordBatch) -> list[pa.RecordBatch]:
        assert self._process.stdin is not None and self._process.stdout is not None
        _send(self._process.stdin, function)
        _send(self._process.stdin, _to_ipc([chunk], chunk.schema))
        answer = _receive(self._process.stdout)
        if answer is None:
            raise RuntimeError(f"a decoding process ended with code {self._process.wait()}")
        if bytes(answer[:1]) == b"!":
            error: Exception = pickle.loads(answer[1:])
            raise error
        return _from_ipc(answer[1:])


def _to_ipc(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def _from_ipc(data: bytes | memoryview) -> list[pa.RecordBatch]:
    if not data:
        return []
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
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


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while (pickled := _receive(requests)) is not None:
        [chunk] = _from_ipc(_receive(requests) or b"")
        try:
            function: BatchFunction = pickle.loads(pickled)
            made = list(function(chunk))
            answer = b"=" + (_to_ipc(made, made[0].schema).to_pybytes() if made else b"")
        except Exception as error:  # it is raised again where the chunk came from
            answer = b"!" + pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        _send(answers, answer)


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
