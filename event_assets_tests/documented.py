"""The commands that README and documentation show: where each is, and how a test runs it.

A command that is new on a page runs as it stands. The few that cannot are named here, each with its reason.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
"""Its blocks are one story, which a test of its own tells."""
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "python-sdk/README.md", "web-sdk/README.md")),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page != TUTORIAL),
]

NOT_RUN = {
    "make demo": "test_demo runs what it starts; what is in front of that installs this environment anew",
    "make test": "it is what runs this test",
    "make setup": "it made the environment that this test runs in",
    "make lint": "CI runs it before the tests",
    "make dist": "it would install the environment anew; test_wheel and sdk/test_alone build what it does",
    "make docs": "it would install the environment anew; test_site builds the pages as it does",
    "make cloud-bootstrap": "it needs an account of AWS; the tests of infra make what it would send there",
    "make cloud-deploy SIZE=small": "the same",
    "event-assets keys create shop": "the same; test_key_store has stores",
    "make image EXTRAS=aws,dashboard,kafka,kubernetes": "it needs Docker; a workflow builds the images",
    "kubectl apply -f infra/kubernetes/base/namespace.yaml": "it needs a cluster; infra/test_kubernetes has it",
    "kubectl -n event-assets create secret generic event-assets-write-keys --from-file=keys/keys.json": "the same",
    "kubectl -n event-assets create secret generic event-assets-pipeline --from-env-file=pipeline.env": "the same",
    "kubectl -n event-assets create secret generic event-assets-dashboards --from-env-file=pages.env": "the same",
    "kubectl apply -k infra/kubernetes/example": "the same",
    "kubectl -n event-assets exec deploy/code -- event-assets stream create": "the same; streams have tests",
    "make web-sdk": "packages of npm come over the network; the tests of web_sdk run what is built",
    "npm install ./web-sdk": "the same",
    "npm ci": "the same",
    "npm run lint": "the same",
    "npm test": "the same",
    "event-assets digest send weekly": "it needs a mail server; the tests of digests send to one",
    "event-assets digest send weekly --print": "it needs the digest of the page; the same",
    "event-assets digest send weekly --to me@example.org": "the same",
    "event-assets stream run": "it needs a cluster; pipeline/test_stream_source has queries of one",
    "event-assets warehouse external-tables": "it needs the settings of a cluster; test_cli has some",
    "event-assets anomalies feedback 2026-11-24/conversion/platform/ios true "
    '--note "the payment provider was down"': "it needs that incident; test_cli has one",
    "pip install '.[aws]'": "it would change the environment that the tests run in",
    "pip install '.[company]'": "the same",
    "pip install '.[models]'": "the same",
    "pip install ./python-sdk": "the same; sdk/test_alone installs what is built of it",
}
"""Commands that no test runs, and why."""

STAYING = {
    "event-assets up": "/v1/ready",
    "dagster dev": "/server_info",
    "python -m event_assets.collector --workers 4": "/v1/ready",
}
"""Commands that do not end by themselves, and what they answer once they serve."""

SMALLER = {
    "event-assets stress": "event-assets stress --no-whole --processes 1 --max-seconds 20",
    "event-assets stress --max-seconds 300": "event-assets stress --no-whole --processes 1 --max-seconds 20",
    "event-assets simulate": "event-assets simulate --events 1000 --seconds 2",
    "--events 100000": "--events 1000 --seconds 2",
    "--events 10000": "--events 1000 --seconds 2",
    "2026-01-01...": "2026-11-21...",
    "2026-11-01...": "2026-11-21...",
}
"""Whole commands, and parts of others, that do the same with less."""

FAILING = {"event-assets verify": (0, 1)}
"""Commands whose exit status says what they found, which other commands on the pages see to."""


STOPPED = {"event-assets doctor --heal"}
"""Commands before which the stack is stopped, as their pages say."""


class Block(NamedTuple):
    """The commands of one block of a page, in order. `line` is where it begins."""

    page: Path
    line: int
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> list[Block]:
    """All blocks with commands: those of the languages bash, console and sh, and prompts (`$ …`) in others."""
    return [block for page in PAGES for block in _blocks_of(page)]


def _blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        language, body = match.groups()
        lines = body.splitlines()
        if language == "console" or (not language and any(line.startswith("$ ") for line in lines)):
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif language not in ("bash", "sh"):
            continue
        commands = tuple(_commands(lines))
        if commands:
            found.append(Block(page, text.count("\n", 0, match.start()) + 1, commands))
    return found


def _commands(lines: list[str]) -> list[str]:
    """Whole commands: with the lines that a backslash or an open quote goes on to, without comments."""
    commands, open_ended = [], ""
    for line in lines:
        open_ended += line
        if open_ended.endswith("\\"):
            open_ended = open_ended[:-1]
            continue
        try:
            shlex.split(open_ended, comments=True)
        except ValueError:
            open_ended += "\n"
            continue
        command = _without_comment(open_ended)
        if command:
            commands.append(command)
        open_ended = ""
    assert not open_ended, f"a command without an end: {open_ended}"
    return commands


def _without_comment(line: str) -> str:
    return re.split(r"(?:^|\s+)#(?= )", line, maxsplit=1)[0].strip()
