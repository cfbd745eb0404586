"""How far an import is, as somebody at a terminal sees it: a pseudo terminal, and what is written to it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from event_assets.importing import ImportProgress
from event_assets.stack.display import import_progress
from event_assets_tests.collector.serving import event

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERASED = "\x1b[2K"
"""What takes a line off the screen again."""
_WIDE = 24


class Terminal:
    """The screen's side of a pseudo terminal: what came so far."""

    def __init__(self, screen: int) -> None:
        self._screen = screen
        self.written = ""

    def read(self) -> bool:
        """Waits for what is written next; False once nobody writes any more."""
        try:
            data = os.read(self._screen, 65_536)
        except OSError:  # all who had it open are gone
            return False
        self.written += data.decode()
        return bool(data)

    @property
    def lines(self) -> list[str]:
        """What was ever drawn, line by line, without colours and movements."""
        return [line.strip() for line in re.split(r"[\r\n]+", _SEQUENCE.sub("", self.written)) if line.strip()]

    def until(self, words: str) -> str:
        """The line in which these words are drawn at last."""
        while True:
            found = [line for line in self.lines if words in line]
            if found:
                return found[-1]
            assert self.read(), self.written


@contextmanager
def terminal() -> Iterator[tuple[int, Terminal]]:
    """A pseudo terminal: the program's side, and the screen's."""
    screen, program = pty.openpty()
    try:
        yield program, Terminal(screen)
    finally:
        os.close(screen)


def test_a_bar_grows_with_the_share_of_the_file_beside_the_lines_and_is_gone_when_all_is_done() -> None:
    with terminal() as (program, seen):
        with os.fdopen(program, "w") as file:
            console = Console(file=file, no_color=True, width=100, force_terminal=None)
            with import_progress(console, "s3://bucket/history/events.ndjson") as watch:
                for lines, share in ((20_000, 0.25), (40_000, 0.5), (80_000, 1.0)):
                    watch(ImportProgress(lines, share))
                    drawn = seen.until(f"{lines:,} lines")
                    assert drawn.startswith("events.ndjson ")
                    assert drawn.count("━") == _WIDE * share, drawn
                assert _ERASED not in seen.written[seen.written.rindex("80,000 lines") :]
        while seen.read():
            pass
        assert _ERASED in seen.written[seen.written.rindex("80,000 lines") :]


def test_the_command_draws_it_on_standard_error_and_leaves_the_result_alone_on_standard_output(tmp_path: Path) -> None:
    events = tmp_path / "history.ndjson"
    events.write_text("".join(json.dumps(event(number)) + "\n" for number in range(1_200)), encoding="utf-8")
    command = [sys.executable, "-m", "event_assets.cli", "import", str(events), "--dry-run", "--json"]
    environment = {**os.environ, "EVENT_ASSETS_HOME": str(tmp_path / "home"), "TERM": "xterm", "NO_COLOR": "1"}
    with terminal() as (program, seen):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=program, text=True)
        os.close(program)
        while seen.read():
            pass
        result, _ = process.communicate()
    assert process.returncode == 0, seen.written
    [*_, drawn] = [line for line in seen.lines if "lines" in line]
    assert drawn.startswith("history.ndjson ") and "1,200 lines" in drawn and drawn.count("━") == _WIDE
    assert _ERASED in seen.written[seen.written.rindex("1,200 lines") :]
    assert json.loads(result)["accepted"] == 1_200 and "━" not in result
