"""Every command of README and documentation, run for real, page by page, beside a stack started as they say."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from event_assets.embedded.record import StackRecord, read_record
from event_assets_tests.collector.serving import free_port
from event_assets_tests.documented import FAILING, NOT_RUN, ROOT, SMALLER, STAYING, STOPPED, Block, blocks
from event_assets_tests.processes import alive, eventually, family

pytestmark = pytest.mark.slow
START_SECONDS = 600.0
EVENTS = [
    {
        "event_id": f"history-{number}",
        "event": "purchase" if number == 7 else "page_view",
        "platform": "web",
        "anonymous_id": f"a-{number % 3}",
        "user_id": "u-1",
        "occurred_at": f"2026-11-22T10:{number:02}:00Z",
        "received_at": f"2026-11-22T10:{number:02}:01Z",
        "properties": {"revenue": 12.5, "currency": "EUR", "order_id": "o-1"} if number == 7 else {},
    }
    for number in range(20)
]
ORDERS = [
    {
        "id": f"o-{number}",
        "source": "WEB",
        "ip": "203.0.113.7",
        "agent": "x",
        "total": 9.5,
        "customer": {"id": "c-1"} if number % 2 else {"old_id": "c-2"},
        "kind": "page",
        "lang": "en",
        "slug": "hat",
        "stored": f"2026-11-22 10:{number:02}:00",
        "ts": 1_795_341_600_000 + number,
        "data": {"colour": "red"},
        "params": [{"name": "size", "text": "L"}],
    }
    for number in range(10)
]
"""Rows that the page about imports has a mapping for."""


class Place:
    """A folder that looks like a clone of the repository with a home in it, and the environment of a terminal there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack: subprocess.Popen[bytes] | None = None
        for entry in ROOT.iterdir():
            if not entry.name.startswith(".") and entry.name not in ("tables", "segments", "plan", "plans"):
                (folder / entry.name).symlink_to(entry)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVENT_ASSETS_", "DAGSTER_"))}
        bin_folder = Path(sys.executable).parent
        self.environment = {
            **kept,
            "PATH": f"{bin_folder}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
            "EVENT_ASSETS_COLLECTOR_PORT": str(free_port()),
            "EVENT_ASSETS_DAGSTER_PORT": str(free_port()),
        }
        self._lay_out_files()

    def _lay_out_files(self) -> None:
        """The user's own files that the pages speak of, as they show them."""
        (self.folder / "history.ndjson.gz").write_bytes(gzip.compress(b"\n".join(_lines(ORDERS))))
        (self.folder / "mapping.yaml").write_text(_shown("docs/how-to/import.md", "yaml"))
        (self.folder / "events.ndjson").write_bytes(b"\n".join(_lines(EVENTS)))
        (self.folder / "events.ndjson.gz").write_bytes(gzip.compress(b"\n".join(_lines(EVENTS))))
        (self.folder / "settings.yaml").write_text(_shown("docs/how-to/model-a-file.md", "text"))
        shutil.copytree(ROOT / "event_assets" / "contract" / "plans", self.folder / "plans")
        (self.folder / "acme").mkdir()
        (self.folder / "acme" / "loyalty.py").write_text(_shown("docs/how-to/choose-enrichments.md", "python"))
        (self.folder / "acme" / "stock.py").write_text("def in_stock(event: str) -> bool:\n    return True\n")
        (self.folder / "data").mkdir()
        for name in ("GeoLite2-City.mmdb", "GeoLite2-ASN.mmdb"):
            (self.folder / "data" / name).touch()
        (self.folder / "data" / "rates.csv").write_text(_shown("docs/how-to/choose-enrichments.md", "csv"))

    @property
    def home(self) -> Path:
        """Where the stack keeps everything."""
        return self.folder / ".event-assets"

    @property
    def record(self) -> StackRecord:
        """Where the running stack is."""
        record = read_record(self.home)
        assert record is not None
        return record

    def run(self, command: str, environment: dict[str, str]) -> None:
        """Runs the command as a person would, in a terminal with this environment; what it exports stays in it."""
        text = self._here(command)
        script = f"{text}\nstatus=$?\nenv -0 > .environment\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in FAILING.get(command, (0,)), f"$ {text}\n{done.stdout}\n{done.stderr}"
        if command.startswith("export "):
            said = (self.folder / ".environment").read_text().split("\0")
            environment |= dict(pair.split("=", 1) for pair in said if "=" in pair)
        if command.startswith("curl "):
            answer = json.loads(done.stdout)
            assert (answer["accepted"], answer["rejected"]) == (1, 0), answer

    def start(self, command: str, environment: dict[str, str], path: str) -> None:
        """Starts what does not end by itself, on ports of its own, waits until it answers, and ends it."""
        port = str(free_port())
        own = {**environment, "EVENT_ASSETS_COLLECTOR_PORT": port, "EVENT_ASSETS_HOME": str(self.folder / "another")}
        whole = f"{command} --port {port}" if command == "dagster dev" else command
        with _running(whole, self.folder, own) as running:
            serves = f"http://127.0.0.1:{port}{path}"
            assert eventually(lambda: running.poll() is not None or _answers(serves), START_SECONDS)
            assert running.poll() is None, f"{command} ended with {running.returncode}"

    def _here(self, command: str) -> str:
        text = SMALLER.get(command, command)
        for part, smaller in SMALLER.items():
            if not part.startswith("event-assets "):
                text = text.replace(part, smaller)
        if "localhost:8080" in text:
            text = text.replace("localhost:8080", self.record.collector_url.removeprefix("http://"))
        return text.replace("/data/", f"{self.folder}/data/")


@contextmanager
def _running(command: str, folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command that stays until the block ends, with all that it started."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        started = family(process.pid) if process.poll() is None else []
        process.terminate()
        process.wait()
        for left in alive(started):
            left.kill()


def _lines(rows: Sequence[Mapping[str, object]]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


def _shown(page: str, language: str) -> str:
    found = re.search(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found.group(1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A clone with a running stack, started as the README says, and events of the simulator in it."""
    place = Place(tmp_path_factory.mktemp("clone"))
    with _running("event-assets up", place.folder, place.environment) as running:
        assert eventually(lambda: running.poll() is not None or read_record(place.home) is not None, START_SECONDS)
        assert running.poll() is None, "the stack ended"
        ready = f"{place.record.collector_url}/v1/ready"
        assert eventually(lambda: _answers(ready), START_SECONDS)
        place.run("event-assets simulate", place.environment)
        place.stack = running
        yield place


RUN = [block for block in blocks() if not NOT_RUN.keys() >= set(block.commands)]


@pytest.mark.parametrize("block", [block for block in RUN if STOPPED.isdisjoint(block.commands)], ids=str)
def test_the_commands_of_each_page_do_what_it_says(place: Place, block: Block) -> None:
    follow(place, block)


@pytest.mark.parametrize("block", [block for block in RUN if not STOPPED.isdisjoint(block.commands)], ids=str)
def test_so_do_those_before_which_the_stack_is_stopped(place: Place, block: Block) -> None:
    """They come last."""
    assert place.stack is not None
    place.stack.terminate()
    place.stack.wait()
    follow(place, block)


def follow(place: Place, block: Block) -> None:
    """Runs the commands of a block in one terminal."""
    environment = dict(place.environment)
    for command in block.commands:
        if command in NOT_RUN or command == "event-assets up":  # which the whole module stands on
            continue
        if command in STAYING:
            place.start(command, environment, STAYING[command])
        else:
            place.run(command, environment)
    if any(command.startswith("export EVENT_ASSETS_") for command in block.commands):
        place.run("event-assets settings", environment)
