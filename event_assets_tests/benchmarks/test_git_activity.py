"""A history in git becomes the events that it holds, and no name or address of anybody."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from benchmarks import git_activity
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.importing import find_mapping
from event_assets.stack.modelling import model_file

ADA, BOB = "Ada@example.org", "bob@example.org"
NAME = "acme/engine"


class History:
    """A repository on a host of its own, whose commits have the people and times that they are given."""

    def __init__(self, host: Path) -> None:
        self.folder = host / NAME
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "uploadpack.allowFilter", "true")  # as hosts of public repositories have it

    def git(self, *arguments: str, by: str = ADA, committer: str = "", at: str = "2024-02-29T23:00:00+05:30") -> str:
        people = {"GIT_AUTHOR_EMAIL": by, "GIT_COMMITTER_EMAIL": committer or by}
        names = {"GIT_AUTHOR_NAME": "Ada Lovelace", "GIT_COMMITTER_NAME": "Ada Lovelace"}
        times = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": "2024-03-02T00:00:00+0000"}
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **people, **names, **times, **own},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, *changed: str, **how: str) -> None:
        for path in changed:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(file.read_text() + "more\n" if file.exists() else f"{path}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=a secret plan", **how)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Two people, a merge, a file that goes, one that becomes a link, and more files in a commit than are told of."""
    made = History(tmp_path / "host")
    made.commit("README.md", "src/deep/größe two.py", "old")
    made.git("checkout", "--quiet", "-b", "side")
    made.commit("src/deep/größe two.py", by=BOB, committer=ADA)
    made.git("checkout", "--quiet", "main")
    made.commit("README.md", by=ADA.lower())
    made.git("merge", "--quiet", "--no-edit", "side")
    (made.folder / "old").unlink()
    made.commit()
    (made.folder / "README.md").unlink()
    (made.folder / "README.md").symlink_to("src")
    made.commit(*(f"many/{number}.txt" for number in range(60)))
    return made


def extracted(history: History, folder: Path) -> list[dict[str, Any]]:
    """What `make data` makes of the repository."""
    listed = folder / "repositories.txt"
    listed.write_text(f"{NAME} {history.git('rev-parse', 'HEAD')}\n")
    out = folder / "made" / "events.ndjson.gz"
    options = {"--repositories": listed, "--host": history.folder.parents[1], "--clones": folder / "clones"}
    assert git_activity.main([str(out), *(str(part) for option in options.items() for part in option)]) == 0
    return [json.loads(line) for line in gzip.open(out)]


def test_a_history_becomes_an_event_a_commit_and_a_file(history: History, tmp_path: Path) -> None:
    events = extracted(history, tmp_path)
    assert Counter(event["event_type"] for event in events) == {
        "commit": 5,
        "merge": 1,
        "file_added": 3 + 39,
        "file_modified": 2,
        "file_typechange": 1,
        "file_deleted": 1,
    }
    assert len({event["event_id"] for event in events}) == len(events)
    assert len({event["user_id"] for event in events}) == 2
    [changed] = [event for event in events if event["event_type"] == "file_modified" and event["props"]["depth"] == 2]
    assert changed["props"] == {"dir": "src", "ext": ".py", "depth": 2}
    assert (changed["event_ts"], changed["received_ts"]) == ("2024-02-29T23:00:00+05:30", "2024-03-02T00:00:00+00:00")
    by_bob = [event for event in events if event["user_id"] == changed["user_id"]]
    assert [event["props"].get("self_committed") for event in by_bob] == [False, None]


def test_it_holds_no_name_no_address_and_no_words_and_another_key_each_time(history: History, tmp_path: Path) -> None:
    first, second = extracted(history, tmp_path), extracted(history, tmp_path)
    text = json.dumps(first).lower()
    assert not any(word in text for word in ("lovelace", "example.org", "secret", "readme", "größe"))
    assert not {event["user_id"] for event in first} & {event["user_id"] for event in second}
    assert [{**event, "user_id": ""} for event in first] == [{**event, "user_id": ""} for event in second]


def test_no_content_of_a_file_is_fetched(history: History, tmp_path: Path) -> None:
    extracted(history, tmp_path)
    clone = tmp_path / "clones" / NAME.replace("/", "+")
    objects = history.git("-C", str(clone), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert Counter(objects.split()).keys() == {"commit", "tree"}


def test_all_of_it_are_events_of_the_contract_by_the_mapping_that_is_shipped(history: History, tmp_path: Path) -> None:
    mapping = find_mapping("git_activity")
    for event in extracted(history, tmp_path):
        assert isinstance(EventDecoder().decode(mapping.map(json.dumps(event).encode())), Decoded)


@pytest.mark.slow
def test_the_tables_are_made_of_it(history: History, tmp_path: Path, spark: SparkSession) -> None:
    events = extracted(history, tmp_path)
    made = tmp_path / "made" / "events.ndjson.gz"
    modelled = model_file(made, tmp_path / "tables", mapping="git_activity", spark=spark)
    assert modelled.reconciliation.balance
    assert modelled.reconciliation.enriched == len(events) == 52
    assert (modelled.rows["users"], modelled.rows["sessions"]) == (2, 2)


def test_a_repository_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "repositories.txt"
    listed.write_text(f"acme/gone {'0' * 40}\n")
    arguments = ["--repositories", str(listed), "--host", str(tmp_path), "--clones", str(tmp_path / "clones")]
    assert git_activity.main([str(tmp_path / "out.gz"), *arguments]) == 1
    assert "acme/gone: " in capsys.readouterr().out
    assert not (tmp_path / "out.gz").exists()
