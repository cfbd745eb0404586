"""Developer activity of public repositories as a file of events, for `--mapping git_activity`: the real events of the
README.

A line for each commit or merge, and for each of the first files that a commit changes. People are hashes by a key that
nobody keeps, so every file has others; all else is the same each time. Names, addresses and contents stay where they
are.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import hmac
import json
import os
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

REPOSITORIES = Path(__file__).with_name("git_activity.txt")
"""A line each: its name on the host, and the commit up to which its history counts."""
HOST = "https://github.com"
MOST_FILES = 40
"""Files of one commit that are told of."""
_LONGEST_ENDING = 12
_CHANGES = {"A": "file_added", "M": "file_modified", "D": "file_deleted", "T": "file_typechange"}
_COMMIT, _FIELD, _FILES = "\x01", "\x02", "\x03"
_ONE_LINE = _FIELD.join(("%H", "%aI", "%cI", "%ae", "%ce", "%P"))
_WITHOUT_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class Repository(NamedTuple):
    """A repository's name on its host, and the commit up to which its history counts."""

    name: str
    commit: str


def main(argv: list[str]) -> int:
    """Writes the file. 0, or 1 where a repository cannot be fetched."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks git_activity", description=__doc__)
    parser.add_argument("out", type=Path, help="the file to write: NDJSON, gzip")
    parser.add_argument("--repositories", type=Path, default=REPOSITORIES, help="a name and a commit a line")
    parser.add_argument("--host", default=HOST, help="address or folder that the names are looked up in")
    parser.add_argument("--clones", type=Path, default=Path("build/git_activity"), help="folder that keeps what came")
    arguments = parser.parse_args(argv)
    listed = [Repository(*line.split()) for line in arguments.repositories.read_text(encoding="utf-8").splitlines()]
    key, kinds, people = secrets.token_bytes(32), Counter[str](), set[str]()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    part = arguments.out.with_name(f"{arguments.out.name}.part")
    with gzip.open(part, "wt", encoding="utf-8", compresslevel=6) as file:
        for repository in listed:
            try:
                clone = fetched(repository, arguments.host, arguments.clones)
                for event in events(clone, repository, key):
                    kinds[event["event_type"]] += 1
                    people.add(event["user_id"])
                    file.write(json.dumps(event, separators=(",", ":")) + "\n")
            except subprocess.CalledProcessError as fault:
                print(f"{repository.name}: {fault.stderr.decode(errors='replace').strip()}")
                return 1
    part.replace(arguments.out)
    print(f"{arguments.out}: {kinds.total():,} events of {len(people):,} people ({dict(sorted(kinds.items()))})")
    return 0


def fetched(repository: Repository, host: str, clones: Path) -> Path:
    """A clone with the history of the commit and no file's content, which is fetched where it is not there yet. Raises
    `CalledProcessError`."""
    clone = (clones / repository.name.replace("/", "+")).absolute()
    if not (clone / "HEAD").exists():
        clone.mkdir(parents=True, exist_ok=True)
        _git(clone, "init", "--quiet", "--bare")
        _git(clone, "remote", "add", "origin", f"{host}/{repository.name}")
    try:
        _git(clone, "cat-file", "-e", f"{repository.commit}^{{commit}}")
    except subprocess.CalledProcessError:
        print(f"fetching {repository.name}", flush=True)
        _git(clone, "fetch", "--quiet", "--no-tags", "--filter=blob:none", "origin", repository.commit)
    return clone


def events(clone: Path, repository: Repository, key: bytes) -> Iterator[dict[str, Any]]:
    """The events of a history, the latest commit first, each before the files that it changes. Raises
    `CalledProcessError`."""
    log = ("log", "-z", "--no-renames", "--name-status", "--diff-merges=off", f"--format={_COMMIT}{_ONE_LINE}{_FILES}")
    history = _git(clone, *log, repository.commit, **_WITHOUT_SETTINGS).decode("utf-8", "replace")
    for told in history.split(_COMMIT)[1:]:
        line, _, changes = told.partition(_FILES)
        commit, authored, committed, author, committer, parents = line.split(_FIELD)
        of_all = {
            "user_id": hmac.new(key, author.lower().encode(), hashlib.sha256).hexdigest()[:16],
            "event_ts": _with_offset(authored),
            "received_ts": _with_offset(committed),
            "project": repository.name,
        }
        about = {"parents": len(parents.split()), "self_committed": author == committer}
        kind = "merge" if about["parents"] > 1 else "commit"
        yield {"event_id": commit[:32], "event_type": kind, **of_all, "props": about}
        parts = changes.strip("\0\n").split("\0")
        for change, path in list(zip(parts[::2], parts[1::2], strict=False))[:MOST_FILES]:
            event_id = hashlib.md5(f"{commit}{path}".encode(), usedforsecurity=False).hexdigest()
            yield {"event_id": event_id, "event_type": _CHANGES[change], **of_all, "props": _place(path)}


def _place(path: str) -> dict[str, Any]:
    """Where a file is, without its name. What is no ending, but behind a dot, is cut."""
    file = PurePosixPath(path)
    folder = file.parts[0] if len(file.parts) > 1 else "."
    return {"dir": folder, "ext": file.suffix[:_LONGEST_ENDING], "depth": len(file.parts) - 1}


def _with_offset(time: str) -> str:
    """Newer versions of git write UTC as Z."""
    return time.removesuffix("Z") + "+00:00" if time.endswith("Z") else time


def _git(clone: Path, *arguments: str, **environment: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(clone), *arguments], env={**os.environ, **environment}, capture_output=True, check=True
    ).stdout
