"""Which tests run when: a fast round by default, in CI one long test of each kind in a file, all before a release."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import cast

import pytest

from event_assets_tests.conftest import pytest_collection_modifyitems
from event_assets_tests.examples import PROVE

ROOT = Path(__file__).parents[1]


class Collected:
    """A collected test, as far as its selection goes."""

    def __init__(self, file: str, *marks: str) -> None:
        self.path = Path(file)
        self.marks = set(marks)

    def get_closest_marker(self, name: str) -> bool:
        return name in self.marks

    def add_marker(self, name: str) -> None:
        self.marks.add(name)


def pytest_arguments(target: str, **variables: str) -> list[str]:
    """What `make` would call pytest with: the marks that it selects and the profile."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "MARKS", "PROFILE")}
    command = [
        "make",
        "--dry-run",
        "--no-print-directory",
        target,
        *(f"{name}={value}" for name, value in variables.items()),
    ]
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in printed.splitlines() if " -m pytest " in line]
    return line.split(" -m pytest ", 1)[1].split()


def test_make_test_is_the_fast_round_and_ci_adds_representatives() -> None:
    assert "-m" not in pytest_arguments("test")
    assert "representative or not (slow" in " ".join(pytest_arguments("test", CI="true"))


def test_make_prove_runs_every_test_with_more_examples() -> None:
    arguments = " ".join(pytest_arguments("prove"))
    assert '-m "slow or not slow"' in arguments and f"--hypothesis-profile={PROVE}" in arguments


def test_the_first_long_test_of_each_kind_in_a_file_represents_it() -> None:
    items = [
        Collected("a.py"),
        Collected("a.py", "slow"),
        Collected("a.py", "slow"),
        Collected("a.py", "slow", "spark_jvm"),
        Collected("a.py", "spark_jvm"),
        Collected("b.py", "slow", "browser"),
        Collected("b.py", "browser"),
    ]
    names = {id(item): place for place, item in enumerate(items)}
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [names[id(item)] for item in items if "representative" in item.marks] == [1, 3, 5]


def test_whoever_is_chosen_by_hand_stands_for_a_file() -> None:
    items = [Collected("a.py", "slow"), Collected("a.py", "slow", "representative"), Collected("a.py", "spark_jvm")]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [place for place, item in enumerate(items) if "representative" in item.marks] == [1, 2]


def test_what_only_a_release_needs_represents_nothing() -> None:
    items = [Collected("a.py", "slow", "release"), Collected("a.py", "slow"), Collected("b.py", "slow", "release")]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [place for place, item in enumerate(items) if "representative" in item.marks] == [1]


def test_files_with_long_tests_begin_and_each_keeps_its_order() -> None:
    files = [
        ("a.py",),
        ("b.py",),
        ("b.py", "slow"),
        ("c.py",),
        ("d.py", "spark_jvm"),
        ("d.py",),
        ("e.py", "slow", "release"),
    ]
    items = [Collected(file, *marks) for file, *marks in files]
    pytest_collection_modifyitems(cast("list[pytest.Item]", items))
    assert [str(item.path) for item in items] == ["b.py", "b.py", "d.py", "d.py", "a.py", "c.py", "e.py"]
    assert ["slow" in item.marks for item in items][:2] == [False, True]
    assert "--no-loadscope-reorder" in pytest_arguments("test"), "else the files with many tests begin"
