"""A profile that a process knows by its environment alone: events put, everything materialised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from event_assets.settings import Settings, load_settings
from event_assets.streams import StreamRecord, StreamWriter, open_stream
from event_assets_tests.end_to_end.platform import ROOT

PREFIX = "EVENT_ASSETS_"


class Profile:
    """A profile as the environment names it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
        self.variables = {PREFIX + name: value for name, value in variables.items()}
        with monkeypatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            self.settings: Settings = load_settings()

    def put(self, records: list[StreamRecord]) -> None:
        stream = open_stream(self.settings)
        stream.create(self.settings.stream_shards)
        assert all(result.error is None for result in StreamWriter(stream).write(records))
        stream.close()

    def split_a_shard(self) -> None:
        stream = open_stream(self.settings)
        stream.split(next(shard.shard_id for shard in stream.shards() if not shard.closed))
        stream.close()

    def materialise_everything(self) -> None:
        """Everything in one run, in a process that knows nothing but its environment."""
        self.materialise()

    def materialise(self, *assets: str) -> None:
        """These assets, or all, in such a run."""
        others = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "DAGSTER_"))}
        command = [sys.executable, "-m", "event_assets_tests.end_to_end.whole_run", *assets]
        done = subprocess.run(
            command, cwd=ROOT, env={**others, **self.variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
