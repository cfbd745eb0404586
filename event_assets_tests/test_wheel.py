"""What `pip install` gives works without the repository: a wheel, installed into an environment of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import event_assets_sdk
from event_assets import __version__
from event_assets_tests.wheels import platform_wheel

ROOT = Path(__file__).parents[1]
VISIT = {"platform": "web", "anonymous_id": "a", "page": {"url": "https://shop.example/?gclid=1"}}
EVENTS = [
    {"event_id": "1", "event": "page_view", "occurred_at": "2026-03-02T10:00:00Z", **VISIT},
    {"event_id": "2", "event": "page_view", "occurred_at": "2026-03-02T10:01:00Z", **VISIT},
    {"event_id": "2", "event": "page_view", "occurred_at": "2026-03-02T10:01:00Z", **VISIT},
]
DEFINITIONS = """
import event_assets
from event_assets.definitions import defs
print(event_assets.__file__)
print(*sorted(key.to_user_string() for key in defs().resolve_asset_graph().get_all_asset_keys()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return platform_wheel(tmp_path_factory.mktemp("wheel"))


class Installed:
    """An environment with the wheel, which borrows all other packages of this one; an empty folder to work in."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.place = folder / "work"
        self.place.mkdir()
        self.environment = folder / "environment"
        python = self.environment / "bin" / "python"
        uv = ["uv", "--quiet"]
        subprocess.run([*uv, "venv", "--python", sys.executable, self.environment], check=True)
        subprocess.run([*uv, "pip", "install", "--no-deps", "--python", python, wheel], check=True)
        [packages] = self.environment.glob("lib/python*/site-packages")
        (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, command: str, *arguments: str) -> str:
        """What the command of the environment prints."""
        ours = ("PYTHONPATH", "EVENT_ASSETS_", "DAGSTER_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        whole = [str(self.environment / "bin" / command), *arguments]
        done = subprocess.run(whole, cwd=self.place, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


@pytest.mark.slow
def test_an_installed_wheel_models_events_and_defines_the_assets(installed: Installed) -> None:
    assert installed.run("event-assets", "--version").strip() == __version__
    file, *keys = installed.run("python", "-c", DEFINITIONS).split()
    assert Path(file).is_relative_to(installed.environment)
    assert {"raw_events", "sessions", "daily_metrics"} <= {key.rpartition("/")[2] for key in keys}
    (installed.place / "events.ndjson").write_text("\n".join(map(json.dumps, EVENTS)))
    modelled = json.loads(installed.run("event-assets", "model", "events.ndjson", "--out", "tables", "--json"))
    counts = modelled["reconciliation"]
    assert (counts["landed"], counts["enriched"], counts["duplicates"], counts["balance"]) == (3, 2, 1, True)
    sessions = pd.read_parquet(installed.place / "tables" / "sessions")
    assert sessions["channel_group"].to_list() == ["Paid Search"]


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    here = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "event_assets").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == here


@pytest.mark.slow
def test_what_is_published_asks_for_the_sdk_of_its_version_and_names_no_folder_of_this_machine(wheel: Path) -> None:
    [source] = wheel.parent.glob("*.tar.gz")
    texts = []
    with zipfile.ZipFile(wheel) as archive, tarfile.open(source) as sources:
        texts += [archive.read(name) for name in archive.namelist() if name.endswith("/METADATA")]
        for member in sources:
            assert "python-sdk" not in member.name
            if member.name.endswith("/PKG-INFO") and (file := sources.extractfile(member)) is not None:
                texts.append(file.read())
    assert len(texts) == 3
    for text in texts:
        asked = re.findall(r"^Requires-Dist: (event-assets-sdk.*|.*file:.*)$", text.decode(), re.MULTILINE)
        assert asked == [f"event-assets-sdk=={__version__}"]


def test_the_version_is_the_sdks_too_and_the_one_that_the_changelog_begins_with() -> None:
    assert event_assets_sdk.__version__ == __version__
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    [first, *_] = re.findall(r"^## \[(.+)\] - (unreleased|\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert __version__ == (f"{first[0]}.dev0" if first[1] == "unreleased" else first[0])
