"""What holds of every test: none depends on how fast a machine is, none on the minute in which it was collected."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from event_assets_tests.examples import FAST, PROVE

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for folder in ("event_assets", "event_assets_tests", "benchmarks", "infra", "python-sdk")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
_MAY_READ = re.compile(rf"\b({'|'.join(CLOCKS)})\(")
"""A look at the text, which is quick: few modules have to be parsed."""


def is_timed(found: settings) -> bool:
    return found.deadline is not None or HealthCheck.too_slow not in found.suppress_health_check


@pytest.mark.parametrize("profile", [FAST, PROVE])
def test_neither_profile_measures_time(profile: str) -> None:
    assert not is_timed(settings.get_profile(profile))


def test_no_collected_property_measures_time(request: pytest.FixtureRequest) -> None:
    functions = [item.obj for item in request.session.items if isinstance(item, pytest.Function)]
    properties = [each for each in functions if is_hypothesis_test(each)]
    timed = [each.__qualname__ for each in properties if is_timed(each._hypothesis_internal_use_settings)]
    assert not timed, "set by @settings(…) in the test; name numbers by @examples(…) alone"


def test_the_long_round_tries_more_examples_than_the_fast_one() -> None:
    assert settings.get_profile(PROVE).max_examples > settings.get_profile(FAST).max_examples


def test_how_often_a_property_is_tried_is_for_the_round_to_say() -> None:
    tests = [path for path in MODULES if path.is_relative_to(ROOT / "event_assets_tests")]
    fixed = [path.name for path in tests if re.search(r"max_examples\s*=", path.read_text("utf-8"))]
    assert fixed == ["examples.py"], "name numbers by @examples(…)"


def evaluated_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs when a module is imported: all but the bodies of functions; their defaults do run."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inner: list[ast.AST] = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    elif isinstance(node, ast.Lambda):
        inner = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    elif isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        inner = []
    else:
        inner = list(ast.iter_child_nodes(node))
    for each in inner:
        yield from evaluated_at_import(each)


def clock_reads(source: str) -> list[int]:
    """The lines that read a clock while the module is imported."""
    if not _MAY_READ.search(source):
        return []
    calls = (node for node in evaluated_at_import(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr in CLOCKS)
        or (isinstance(call.func, ast.Name) and call.func.id in CLOCKS)
    ]


def test_no_module_reads_the_clock_when_it_is_imported() -> None:
    reads = {str(path.relative_to(ROOT)): clock_reads(path.read_text("utf-8")) for path in MODULES}
    assert len(reads) > 300
    assert not {path: lines for path, lines in reads.items() if lines}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("NOW = dt.datetime.now(dt.UTC)", [1]),
        ("class A:\n    at = time.time()", [2]),
        ("def f(at=now()):\n    return now()", [1]),
        ("def f():\n    return dt.date.today()", []),
        ("f = lambda at=time.monotonic(): at", [1]),
        ("f = lambda: time.monotonic()", []),
    ],
)
def test_a_clock_is_read_at_import_where_it_stands_outside_a_function(source: str, lines: list[int]) -> None:
    assert clock_reads(source) == lines
