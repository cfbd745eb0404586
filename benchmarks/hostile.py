"""What the worst bodies cost one collector process: compression bombs, many empty parts, and deep, wide or long JSON.

Each is sent ten times to a process that serves, beside it, small requests of another client. Printed: how each is
answered, the slowest answer in milliseconds, the other client's slowest one meanwhile, and how much the process's
peak of memory grew. `benchmarks.search` looks for bodies that are worse.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import zstandard

from benchmarks.collector import collector_process

MIB = 1024 * 1024
TIMES = 10
_SMALL = b'{"event_id":"o","event":"search","platform":"web","anonymous_id":"a"}'


class Body(NamedTuple):
    """One hostile body."""

    encoding: str
    content: bytes


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks hostile", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(argv)
    figures = measure()
    if asked.json:
        print(json.dumps(figures))
    else:
        for name, answer in figures.items():
            print(f"{name:<28} {answer}")
    return 0


def measure() -> dict[str, dict[str, float]]:
    """For each body: `status`, `worst_ms`, `others_ms`, `peak_growth_mb`."""
    figures: dict[str, dict[str, float]] = {}
    for name, body in bodies().items():
        with tempfile.TemporaryDirectory() as folder, collector_process("null", Path(folder) / "home") as running:
            url, key, process = running
            headers = {"x-write-key": key, "content-encoding": body.encoding, "content-type": "application/json"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                client.post("/v1/events", content=b"", headers={"content-encoding": "identity"})
                before = _peak_mb(process)
                with _others(url, key) as others:
                    answers = [_timed(client, body.content) for _ in range(TIMES)]
                figures[name] = {
                    "status": answers[0][0],
                    "worst_ms": round(max(seconds for _, seconds in answers) * 1e3, 1),
                    "others_ms": round(max(others) * 1e3, 1),
                    "peak_growth_mb": round(_peak_mb(process) - before, 1),
                }
    return figures


def bodies() -> dict[str, Body]:
    """The worst that a body of 1 MiB can be."""
    zeros = bytes(900 * MIB)
    event = b'{"event_id": "e", "event": "search", "platform": "web", "anonymous_id": "a", "properties": %s}'
    wide = b"{" + b",".join(b'"%d":1' % number for number in range(6_000)) + b"}"
    return {
        "gzip bomb": Body("gzip", gzip.compress(zeros, 9)),
        "gzip bomb of many members": Body("gzip", gzip.compress(bytes(MIB), 9) * 900),
        "gzip, empty members": Body("gzip", _repeated(gzip.compress(b"", mtime=0))),
        "zstd, empty frames": Body("zstd", _repeated(zstandard.ZstdCompressor(write_content_size=False).compress(b""))),
        "zstd, skippable frames": Body("zstd", _repeated(b"\x50\x2a\x4d\x18\0\0\0\0")),
        "gzip, as many members as allowed": Body("gzip", gzip.compress(b'[{"a":"%s"}]' % (b"ab" * 4_000), 1) * 1_000),
        "gzip, an array of 5 M elements": Body("gzip", _packed(b"[" + b"1," * 5_000_000 + b"1]")),
        "gzip, 10 M empty lines": Body("gzip", _packed(b"1" + b"\n" * 10_000_000 + b"1")),
        "gzip, 500 events of 20 KB": Body("gzip", _packed(b"[" + b",".join([event % _long(20_000)] * 500) + b"]")),
        "deflate bomb": Body("deflate", zlib.compress(zeros, 9)),
        "zstd bomb": Body("zstd", zstandard.ZstdCompressor(19).compress(zeros)),
        "a million open brackets": Body("identity", b"[" * MIB),
        "200,000 open objects": Body("identity", b'{"a":' * 200_000),
        "500,000 nested arrays": Body("identity", b"[" * 500_000 + b"]" * 500_000),
        "340,000 empty arrays": Body("identity", b"[" + b",".join([b"[]"] * 340_000) + b"]"),
        "15 events of 6,000 keys": Body("identity", b"[" + b",".join([event % wide] * 15) + b"]"),
        "500 events of 18 levels": Body("identity", b"[" + b",".join([event % _nested(18)] * 500) + b"]"),
        "an integer of a million digits": Body("identity", event % (b'{"n":' + b"9" * (MIB - 200) + b"}")),
        "half a million escapes": Body("identity", event % (b'{"n":"' + b"\\n" * (MIB // 2 - 200) + b'"}')),
    }


def _repeated(part: bytes) -> bytes:
    return part * (MIB // len(part))


def _packed(text: bytes) -> bytes:
    """Packed under a file name so long that the ratio of both is no bomb's."""
    packed = io.BytesIO()
    with gzip.GzipFile("n" * 120_000, "wb", 9, packed, mtime=0) as file:
        file.write(text)
    return packed.getvalue()


def _long(size: int) -> bytes:
    return b'{"text": "' + b"abcdefghij" * (size // 10) + b'"}'


@contextmanager
def _others(url: str, key: str) -> Iterator[list[float]]:
    """The seconds that small requests of another client take while the block runs."""
    seconds: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, headers={"x-write-key": key}, timeout=60) as client:
            while not ended.is_set() or not seconds:
                seconds.append(
                    _timed(client, b'{"event_id":"o","event":"search","platform":"web","anonymous_id":"a"}')[1]
                )

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield seconds
    finally:
        ended.set()
        asking.join()


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def _timed(client: httpx.Client, content: bytes) -> tuple[int, float]:
    began = time.perf_counter()
    answer = client.post("/v1/events", content=content)
    return answer.status_code, time.perf_counter() - began


def _peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    sys.exit(main())
