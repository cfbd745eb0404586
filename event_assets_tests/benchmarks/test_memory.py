"""Each process of a stack is told by its service, runs each for itself, with what it grows by in an hour."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.memory import Memory

_KEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
_SERVICE = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; sys.stdin.read()'])"


def test_a_service_is_told_by_its_name_and_what_runs_below_the_code_server_as_runs() -> None:
    command = [sys.executable, "-c", _KEEPER, _SERVICE]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as keeper:
        with Memory({"dagster-code": keeper.pid}, every=0.01) as memory:
            while not {"dagster-code", "run 1"} <= memory.grown().keys():
                time.sleep(0.01)
        keeper.communicate()
    assert memory.samples.keys() == {"dagster-code", "run 1"}
    assert all(each["mb_at_first"] > 1 for each in memory.grown().values())


def test_what_a_process_grows_by_is_told_by_the_hour_of_the_time_that_is_asked_for() -> None:
    memory = Memory({})
    memory.samples["collector"] = [(at, 100 + (at - 3600) / 360 if at > 3600 else 500.0) for at in range(0, 7200, 60)]
    memory.samples["short"] = [(7000.0, 1.0)]
    grown = memory.grown(since=3601)
    assert grown.keys() == {"collector"} and grown["collector"]["mb_an_hour"] == 10.0
    assert 100 < grown["collector"]["mb_at_first"] < 101 and 109 < grown["collector"]["mb_at_last"] < 110
