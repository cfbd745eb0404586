"""What the worst bodies cost one collector process: compression bombs and deep, wide or long JSON.

Each is sent ten times to a process that serves nothing else. Printed: how each is answered, the slowest answer in
milliseconds, and how much the process's peak of memory grew.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import zstandard

from benchmarks.collector import collector_process

MIB = 1024 * 1024
TIMES = 10


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
    """For each body: `status`, `worst_ms`, `peak_growth_mb`."""
    figures: dict[str, dict[str, float]] = {}
    for name, body in bodies().items():
        with tempfile.TemporaryDirectory() as folder, collector_process("null", Path(folder) / "home") as running:
            url, key, process = running
            headers = {"x-write-key": key, "content-encoding": body.encoding, "content-type": "application/json"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                client.post("/v1/events", content=b"", headers={"content-encoding": "identity"})
                before = _peak_mb(process)
                answers = [_timed(client, body.content) for _ in range(TIMES)]
                figures[name] = {
                    "status": answers[0][0],
                    "worst_ms": round(max(seconds for _, seconds in answers) * 1e3, 1),
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
